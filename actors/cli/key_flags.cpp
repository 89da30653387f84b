#include "actors/cli/key_flags.hpp"

#include "actors/cli/files.hpp"

namespace troupe::cli {

namespace {
constexpr std::size_t proxy_bytes_max = 4096;
constexpr std::string_view blanks = " \t\r\n";
} // namespace

void add_key_field_flags(command& c, key_field_flags& into) {
  auto& f = into.fields;
  c.text("--name", f.name, "TEXT", "What people call it")
      .text("--upstream", f.upstream, "NAME", "Whose key it is")
      .text("--kind", f.kind, "KIND", "gemini, vertex, openai or anthropic; else its upstream's")
      .text("--domain", f.domain, "NAME", "Keys that share one quota have one domain")
      .texts("--group", f.groups, "NAME",
             "Credentials may be bound to groups; several times, replaces all; none: of no group")
      .texts("--tag", f.tags, "TEXT", "For filters; several times, replaces all; none: no tag")
      .text("--weight", f.weight, "N", "Its share among keys of one tier, 1 to 1000")
      .text("--tier", f.tier, "N", "Lower tiers are used first, -100 to 100")
      .texts("--limit", f.limits, "[MODEL:]NAME=N",
             "rpm, tpm, input_tpm, output_tpm, rpd, tpd or concurrency; several times. "
             "NAME=none takes one away, none alone all")
      .text("--proxy", f.proxy, "URL", "Without user and password: others can list arguments")
      .text("--proxy-file", into.proxy_file, "FILE", "Holds the proxy's URL, with a password")
      .text("--note", f.note, "TEXT", "For people")
      .text("--enabled", f.enabled, "yes|no", "Whether it may serve");
}

std::string without_blanks_around(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return std::string{text.substr(first, text.find_last_not_of(blanks) + 1 - first)};
}

std::optional<key_fields> read_key_fields(session& s, const key_field_flags& told) {
  auto fields = told.fields;
  if (fields.proxy && fields.proxy->find('@') != std::string::npos) {
    s.usage("--proxy: other users can list arguments, so a URL with a password comes by "
            "--proxy-file");
    return std::nullopt;
  }
  if (!told.proxy_file.empty()) {
    auto text = read_text(s, told.proxy_file, proxy_bytes_max);
    if (!text)
      return std::nullopt;
    fields.proxy = without_blanks_around(*text);
  }
  return fields;
}

std::optional<std::string> read_text(session& s, const std::string& path, std::size_t bytes_max) {
  auto text = path == "-" ? s.around().read_input(bytes_max) : read_file(path, bytes_max);
  if (text)
    return std::move(*text);
  s.usage(text.error().text);
  return std::nullopt;
}

} // namespace troupe::cli
