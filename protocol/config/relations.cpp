#include "protocol/config/relations.hpp"

#include "protocol/config/values.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace troupe::config {

namespace {

struct checking {
  loaded_settings& loaded;

  /// The problem stands where the option was set; where it has its default, `other` may not.
  void problem(std::string path, std::string text, const std::string& other = {},
               std::string code = "relation") {
    auto origin = loaded.origin_of(path);
    if (origin.layer == config_layer::defaults && !other.empty())
      origin = loaded.origin_of(other);
    if (origin.layer == config_layer::defaults)
      if (const auto bracket = path.find('['); bracket != std::string::npos)
        origin = loaded.origin_of(path.substr(0, bracket));
    loaded.problems.push_back({origin.layer == config_layer::defaults ? "defaults" : origin.source,
                               origin.line, std::move(path), std::move(text), std::move(code)});
  }

  void warn(std::string text) { loaded.warnings.push_back(std::move(text)); }

  void listeners() {
    const auto& s = loaded.values;
    const auto any = [](const listen_address& a) {
      return a.address == "0.0.0.0" || a.address == "::";
    };
    const bool overlap =
        s.listen.address == s.admin_listen.address || any(s.listen) || any(s.admin_listen);
    if (s.listen.port != 0 && s.listen.port == s.admin_listen.port && overlap)
      problem("admin_listen",
              "must not be the port of listen: admin answers have a port of their own", "listen");
    if (s.tls.certificate_chain.empty() != s.tls.private_key.empty())
      problem(s.tls.certificate_chain.empty() ? "tls.certificate_chain" : "tls.private_key",
              "is missing: TLS needs the certificate chain and its private key",
              s.tls.certificate_chain.empty() ? "tls.private_key" : "tls.certificate_chain");
    if (!s.admin_listen.address.starts_with("127.") && s.admin_listen.address != "::1")
      warn("admin_listen is reachable from other machines and speaks plain HTTP");
    if (s.data_dir.empty())
      problem("data_dir", "must not be empty");
  }

  void upstreams() {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < loaded.values.upstreams.size(); ++i) {
      const auto& u = loaded.values.upstreams[i];
      const auto element = "upstreams[" + std::to_string(i) + "].";
      if (!u.name.empty() && !names.insert(u.name).second)
        problem(element + "name", "stands twice: names of upstreams are unique", {}, "duplicate");
      const std::pair<const char*, duration> waits[] = {
          {"connect_timeout", u.connect_timeout},
          {"first_byte_timeout", u.first_byte_timeout},
          {"silence_timeout", u.silence_timeout}};
      for (const auto& [name, span] : waits)
        if (span > u.total_timeout)
          problem(element + name,
                  "must not be longer than total_timeout, " + format_duration(u.total_timeout),
                  element + "total_timeout");
      if (!u.verify)
        warn("upstream \"" + u.name + "\": certificates are not verified; its keys can be stolen");
      if (u.base_url.starts_with("http://") && !is_loopback(u.base_url))
        warn("upstream \"" + u.name + "\": keys travel unencrypted, because its base_url is http");
    }
    if (loaded.values.upstreams.empty())
      problem("upstreams", "must hold at least one");
    const auto& s = loaded.values.upstreams;
    if (std::all_of(s.begin(), s.end(), [](const auto& u) { return u.keys.empty(); }))
      warn("no upstream has a key: set GEMINI_API_KEYS, or keys or keys_file of an upstream");
  }

  static bool is_loopback(std::string_view url) {
    const auto host = url.substr(std::string_view{"http://"}.size());
    return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
  }

  void credentials(const std::vector<credential_settings>& list, const std::string& path) {
    std::set<std::string_view> names, secrets;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& c = list[i];
      const auto element = path + '[' + std::to_string(i) + ']';
      if (c.value.empty() == c.sha256.empty())
        problem(element, "needs either a secret or a sha256, and not both", element + ".name");
      if (!c.name.empty() && !names.insert(c.name).second)
        problem(element + ".name", "stands twice: names of credentials are unique", {},
                "duplicate");
      const auto shown = c.value.empty() ? std::string_view{c.sha256} : c.value.reveal();
      if (!shown.empty() && !secrets.insert(shown).second)
        problem(element, "has the same secret as another one", element + ".name", "duplicate");
    }
  }

  void spans() {
    const auto& p = loaded.values.pool;
    if (p.cooldown > p.cooldown_max)
      problem("pool.cooldown",
              "must not be longer than pool.cooldown_max, " + format_duration(p.cooldown_max),
              "pool.cooldown_max");
  }
};

} // namespace

void check_relations(loaded_settings& loaded) {
  checking c{loaded};
  c.listeners();
  c.upstreams();
  c.credentials(loaded.values.credentials.clients, "credentials.clients");
  c.credentials(loaded.values.credentials.admins, "credentials.admins");
  c.spans();
}

} // namespace troupe::config
