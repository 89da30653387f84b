#include "protocol/config/relations.hpp"

#include "protocol/config/names.hpp"
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

  void not_longer(const std::string& path, duration span, const std::string& bound,
                  duration bound_span) {
    if (span > bound_span)
      problem(path, "must not be longer than " + bound + ", " + format_duration(bound_span), bound);
  }

  /// Zero turns something off; what is on must not be so short that it only costs.
  void a_second_or_none(const std::string& path, duration span) {
    if (span > duration{0} && span < std::chrono::seconds{1})
      problem(path, "must be 0 or at least 1s", {}, "out_of_range");
  }

  void pool() {
    const auto& p = loaded.values.pool;
    not_longer("pool.cooldown", p.cooldown, "pool.cooldown_max", p.cooldown_max);
    not_longer("pool.recheck_min", p.recheck_min, "pool.recheck_max", p.recheck_max);
    a_second_or_none("pool.wait_heartbeat", p.wait_heartbeat);
    a_second_or_none("pool.recheck_min", p.recheck_min);
    if (p.wait_max > p.request_deadline)
      warn("pool.wait_max is longer than pool.request_deadline, "
           + format_duration(p.request_deadline) + ", which ends every wait");
    const auto& b = loaded.values.breaker;
    not_longer("breaker.open_min", b.open_min, "breaker.open_max", b.open_max);
  }

  void egress() {
    std::set<std::string_view> names;
    const auto& groups = loaded.values.egress.groups;
    for (std::size_t i = 0; i < groups.size(); ++i)
      if (!groups[i].name.empty() && !names.insert(groups[i].name).second)
        problem("egress.groups[" + std::to_string(i) + "].name",
                "stands twice: names of egress groups are unique", {}, "duplicate");
  }

  /// Following an alias again and again must end at a model.
  void aliases() {
    const auto& all = loaded.values.models.aliases;
    std::set<std::string_view> sound; // they are followed once each, however they are chained
    for (const auto& [name, model] : all) {
      std::set<std::string_view> passed;
      auto at = all.find(name);
      while (at != all.end() && !sound.contains(at->first) && passed.insert(at->first).second)
        at = all.find(at->second);
      if (at != all.end() && !sound.contains(at->first))
        return problem("models.aliases", shown_model(at->first) + " leads back to itself");
      sound.merge(passed);
    }
  }

  void fallbacks() {
    for (const auto& [name, models] : loaded.values.models.fallbacks) {
      std::set<std::string_view> seen;
      for (const auto& model : models)
        if (model == name)
          problem("models.fallbacks", shown_model(name) + " must not be in its own list");
        else if (!seen.insert(model).second)
          problem("models.fallbacks",
                  shown_model(model) + " stands twice in the list of " + shown_model(name), {},
                  "duplicate");
    }
  }

  void routes() {
    const auto& all = loaded.values.models.routes;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto element = "models.routes[" + std::to_string(i) + "].";
      if (all[i].models.empty())
        problem(element + "models", "must name at least one model");
      route_upstreams(all[i], element + "upstreams");
    }
  }

  void route_upstreams(const model_route& route, const std::string& path) {
    const auto& known = loaded.values.upstreams;
    std::set<upstream_kind> kinds;
    for (std::size_t i = 0; i < route.upstreams.size(); ++i) {
      const auto found = std::ranges::find(known, route.upstreams[i], &upstream_settings::name);
      if (found != known.end()) {
        kinds.insert(found->kind);
        continue;
      }
      std::vector<std::string_view> names;
      for (const auto& u : known)
        names.push_back(u.name);
      auto text = "element " + std::to_string(i) + " names no upstream";
      if (const auto near = nearest_name(route.upstreams[i], names); !near.empty())
        text += "; did you mean " + printable_name(near) + '?';
      problem(path, std::move(text), "upstreams");
    }
    if (kinds.size() > 1)
      problem(path, "must name upstreams of one kind", "upstreams");
  }
};

} // namespace

void check_relations(loaded_settings& loaded) {
  checking c{loaded};
  c.listeners();
  c.upstreams();
  c.credentials(loaded.values.credentials.clients, "credentials.clients");
  c.credentials(loaded.values.credentials.admins, "credentials.admins");
  c.pool();
  c.egress();
  c.aliases();
  c.fallbacks();
  c.routes();
}

} // namespace troupe::config
