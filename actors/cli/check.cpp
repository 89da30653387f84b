#include "actors/cli/check.hpp"

#include "protocol/config/builder.hpp"
#include "protocol/config/compare.hpp"
#include "protocol/config/options.hpp"

#include <iterator>

namespace troupe::cli {

std::string summary_of(const settings& s) {
  std::string out = "configuration is valid\n";
  out += "  clients on " + to_string(s.listen) + (s.tls.enabled() ? " (TLS)" : "") + ", admin on "
         + to_string(s.admin_listen) + '\n';
  for (const auto& u : s.upstreams)
    out += "  upstream " + u.name + ": " + counted(std::ssize(u.keys), "key") + " for " + u.base_url
           + '\n';
  const auto& c = s.credentials;
  out += "  " + counted(std::ssize(c.clients), "client credential") + ", "
         + counted(std::ssize(c.admins), "admin credential");
  if (c.clients.empty() || c.admins.empty())
    out += " (the first start makes what is missing)";
  return out + "\n  data in " + s.data_dir + '\n';
}

std::vector<shown_option> shown_options(const loaded_settings& loaded) {
  std::vector<shown_option> out;
  for (const auto& o : config::options()) {
    if (o.type == config::option_type::objects)
      continue;
    for (std::size_t i = 0; i < config::elements_of(loaded.values, o); ++i) {
      auto path = config::path_of(o, i);
      auto origin = to_string(loaded.origin_of(path));
      out.push_back({std::move(path), config::show(o, loaded.values, i), std::move(origin)});
    }
  }
  return out;
}

std::string draw_options(const std::vector<shown_option>& options, bool origin, const look& l) {
  std::string out;
  for (const auto& o : options) {
    out += painted(o.path, l) + " = " + painted(o.value, l);
    if (origin)
      out += painted({"  (" + o.origin + ')', tone::faint}, l);
    out += '\n';
  }
  return out;
}

} // namespace troupe::cli
