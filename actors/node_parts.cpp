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

result<pool_plan> plan_pool(const settings& s) {
  const auto has = [&](upstream_kind kind) {
    return std::any_of(s.upstreams.begin(), s.upstreams.end(), [&](const upstream_settings& u) {
      return u.kind == kind && !u.keys.empty();
    });
  };
  const auto kind = has(upstream_kind::gemini) || !has(upstream_kind::vertex)
                        ? upstream_kind::gemini
                        : upstream_kind::vertex;
  pool_plan plan;
  for (const auto& u : s.upstreams) {
    if (u.kind != kind) {
      if (!u.keys.empty())
        plan.warnings.push_back("upstream '" + u.name + "': its " + std::to_string(u.keys.size())
                                + " keys serve no surface of this version beside Gemini keys");
      continue;
    }
    auto target = target_of(u);
    if (!target)
      return failure{errc::invalid_argument, "upstream '" + u.name + "': " + target.error().text};
    const auto index = plan.upstreams.size();
    plan.upstreams.push_back(*std::move(target));
    for (const auto& key : u.keys) {
      const auto id = http::fingerprint(key.reveal()).value;
      if (!plan.upstream_by_key.emplace(id, index).second)
        continue;
      plan.keys.push_back({id, u.name + "-" + std::to_string(plan.keys.size() + 1), key});
    }
  }
  if (plan.upstreams.empty())
    return failure{errc::invalid_argument, "no upstream is configured"};
  return plan;
}

http::server_options client_server_options(const settings& s) {
  auto o = common_options(s, s.listen);
  if (s.tls.enabled())
    o.tls = http::tls_files{s.tls.certificate_chain, s.tls.private_key};
  return o;
}

http::server_options admin_server_options(const settings& s) {
  auto o = common_options(s, s.admin_listen);
  o.body_bytes_max = std::min<std::size_t>(o.body_bytes_max, 1024 * 1024);
  o.connections_max = std::min<std::size_t>(o.connections_max, 256);
  return o;
}

} // namespace troupe
