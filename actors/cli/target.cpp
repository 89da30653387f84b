#include "actors/cli/target.hpp"

#include "actors/cli/files.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <string_view>

namespace troupe::cli {

namespace {

failure fault(std::string text) {
  return {errc::invalid_argument, std::move(text)};
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string trimmed(std::string text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.back()))
    text.pop_back();
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), blank));
  return text;
}

/// The credential for a remote node. It becomes part of a header line.
result<secret> read_credential(const node_flags& flags, const cli_surroundings& around) {
  auto text = variable(around, "TROUPE_ADMIN_CREDENTIAL");
  if (!flags.credential_file.empty()) {
    auto read = read_private_file(flags.credential_file);
    if (!read)
      return read.error();
    text = std::move(*read);
  }
  text = trimmed(std::move(text));
  if (text.empty())
    return fault("an admin URL needs a credential: name a file by --credential-file, or set "
                 "TROUPE_ADMIN_CREDENTIAL");
  if (!config::is_printable(text, false))
    return fault("the credential holds characters that no credential has");
  return secret{std::move(text)};
}

result<node_target> remote_node(const std::string& url, const node_flags& flags,
                                const cli_surroundings& around) {
  const auto parsed = http::parse_base_url(url);
  if (!parsed)
    return fault("the admin URL: " + parsed.error().text);
  auto credential = read_credential(flags, around);
  if (!credential)
    return credential.error();
  node_target node;
  node.link.to = parsed->first;
  node.link.base_path = parsed->second;
  node.link.credential = std::move(*credential);
  node.link.ca_file = flags.ca_file;
  node.name = url;
  node.unencrypted = !parsed->first.tls && !is_loopback(parsed->first.host);
  return node;
}

/// Problems elsewhere in the configuration do not matter here: the node that runs may well have
/// been started before somebody made them.
result<std::string> data_directory(const node_flags& flags, const cli_surroundings& around) {
  config_sources sources;
  const auto loaded = load_configuration(configuration_of(flags), around, sources);
  for (const auto& p : loaded.problems)
    if (p.option.empty() || p.option == "data_dir")
      return fault(to_string(p));
  return loaded.values.data_dir;
}

result<node_target> local_node(const node_flags& flags, const cli_surroundings& around) {
  auto directory = data_directory(flags, around);
  if (!directory)
    return directory.error();
  node_target node;
  node.local = true;
  node.data_dir = std::move(*directory);
  node.name = node.data_dir + (node.data_dir.ends_with('/') ? "" : "/") + "admin.sock";
  node.link.to.tls = false;
  node.link.to.unix_path = node.name;
  return node;
}

} // namespace

configuration_flags configuration_of(const node_flags& flags) {
  configuration_flags told{flags.config_path, flags.env_path, {}};
  if (!flags.data_dir.empty())
    told.options["data_dir"] = flags.data_dir;
  return told;
}

result<node_target> find_node(const node_flags& flags, const cli_surroundings& around) {
  const auto timeout = config::parse_duration(flags.timeout);
  if (!timeout || *timeout <= duration{0})
    return fault("--timeout: must be a duration such as 30s");
  const bool names_local =
      !flags.data_dir.empty() || !flags.config_path.empty() || !flags.env_path.empty();
  if (!flags.admin.empty() && names_local)
    return fault("--admin names a node by itself: leave out --data-dir, --config and --env-file");
  auto url = flags.admin;
  if (url.empty() && !names_local)
    url = variable(around, "TROUPE_ADMIN_URL");
  auto node = url.empty() ? local_node(flags, around) : remote_node(url, flags, around);
  if (node)
    node->link.timeout = *timeout;
  return node;
}

} // namespace troupe::cli
