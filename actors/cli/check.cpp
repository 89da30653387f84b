#include "actors/cli/check.hpp"

#include "protocol/config/builder.hpp"
#include "protocol/config/options.hpp"

namespace troupe {

namespace {

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

std::size_t elements_of(const settings& s, std::string_view path) {
  if (path.starts_with("upstreams[]"))
    return s.upstreams.size();
  if (path.starts_with("credentials.clients[]"))
    return s.credentials.clients.size();
  if (path.starts_with("credentials.admins[]"))
    return s.credentials.admins.size();
  return 1;
}

} // namespace

std::string summary_of(const settings& s) {
  std::string out = "configuration is valid\n";
  out += "  clients on " + to_string(s.listen) + (s.tls.enabled() ? " (TLS)" : "") + ", admin on "
         + to_string(s.admin_listen) + '\n';
  for (const auto& u : s.upstreams)
    out +=
        "  upstream " + u.name + ": " + counted(u.keys.size(), "key") + " for " + u.base_url + '\n';
  const auto& c = s.credentials;
  out += "  " + counted(c.clients.size(), "client credential") + ", "
         + counted(c.admins.size(), "admin credential");
  if (c.clients.empty() || c.admins.empty())
    out += " (the first start makes what is missing)";
  return out + "\n  data in " + s.data_dir + '\n';
}

std::string show_settings(const loaded_settings& loaded) {
  std::string out;
  for (const auto& o : config::options()) {
    if (o.type == config::option_type::objects)
      continue;
    for (std::size_t i = 0; i < elements_of(loaded.values, o.path); ++i) {
      const auto path = config::path_of(o, i);
      out += path + " = " + config::show(o, loaded.values, i) + "  ("
             + to_string(loaded.origin_of(path)) + ")\n";
    }
  }
  return out;
}

} // namespace troupe
