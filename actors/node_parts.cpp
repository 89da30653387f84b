#include "actors/node_parts.hpp"

#include <algorithm>

namespace troupe {

namespace {

result<upstream_target> target_of(const upstream_settings& u) {
  auto parsed = http::parse_base_url(u.base_url);
  if (!parsed)
    return parsed.error();
  upstream_target t;
  t.name = u.name;
  t.kind = u.kind;
  t.where = parsed->first;
  t.base_path = parsed->second;
  for (const auto& [name, value] : u.headers) {
    t.header_lines += name;
    t.header_lines += ": ";
    t.header_lines += value.reveal();
    t.header_lines += "\r\n";
  }
  t.client.connections_idle_max = u.connections_idle_max;
  t.client.idle_timeout = u.idle_timeout;
  t.client.head_bytes_max = u.head_bytes_max;
  t.client.ca_file = u.ca_file;
  t.client.verify = u.verify;
  t.timeouts.connect = u.connect_timeout;
  t.timeouts.first_byte = u.first_byte_timeout;
  t.timeouts.silence = u.silence_timeout;
  t.timeouts.total = u.total_timeout;
  return t;
}

http::server_options common_options(const settings& s, const listen_address& where) {
  http::server_options o;
  o.address = where.address;
  o.port = where.port;
  o.header_bytes_max = s.server.header_bytes_max;
  o.body_bytes_max = s.server.body_bytes_max;
  o.connections_max = s.server.connections_max;
  o.header_timeout = s.server.header_timeout;
  o.body_timeout = s.server.body_timeout;
  o.idle_timeout = s.server.idle_timeout;
  o.write_timeout = s.server.write_timeout;
  return o;
}

} // namespace

result<std::vector<upstream_target>> upstream_targets(const settings& s,
                                                      upstream_numbers& numbers) {
  std::vector<upstream_target> targets;
  for (const auto& u : s.upstreams) {
    auto target = target_of(u);
    if (!target)
      return failure{errc::invalid_argument, "upstream '" + u.name + "': " + target.error().text};
    target->number = numbers.of(u.name);
    targets.push_back(*std::move(target));
  }
  if (targets.empty())
    return failure{errc::invalid_argument, "no upstream is configured"};
  return targets;
}

result<std::shared_ptr<const front_config>>
front_config_of(const settings& s, upstream_numbers& numbers, http::credential_set clients) {
  auto targets = upstream_targets(s, numbers);
  if (!targets)
    return targets.error();
  auto config = std::make_shared<front_config>();
  config->translation = s.translation;
  config->upstreams = *std::move(targets);
  config->clients = std::move(clients);
  config->pool = s.pool;
  config->cors = s.cors;
  config->models = s.models;
  config->real_models = built_in_models();
  config->real_models.insert(s.models.known.begin(), s.models.known.end());
  return std::shared_ptr<const front_config>{std::move(config)};
}

http::server_options client_server_options(const settings& s) {
  auto o = common_options(s, s.listen);
  if (s.tls.enabled())
    o.tls = http::tls_files{s.tls.certificate_chain, s.tls.private_key};
  return o;
}

http::server_options admin_server_options(const settings& s) {
  auto o = common_options(s, s.admin_listen);
  o.body_bytes_max = 32 * 1024 * 1024; // an import; the admin side bounds the rest itself
  o.connections_max = std::min<std::size_t>(o.connections_max, 256);
  return o;
}

} // namespace troupe
