#pragma once

#include "protocol/base/time.hpp"
#include "protocol/config/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The texts that stand for durations, sizes, addresses and URLs in a configuration.

namespace troupe::config {

/// `250ms`, `30s`, `5m`, `1h`, `7d`, `1h30m`; `0` needs no unit. Nothing for any other text.
std::optional<duration> parse_duration(std::string_view text);

/// The shortest text that `parse_duration` reads back as `span`; whole milliseconds.
std::string format_duration(duration span);

/// `1024`, `64KiB`, `32MiB`, `1GiB`, and `kB`, `MB`, `GB` for powers of 1000.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

std::string format_bytes(std::uint64_t bytes);

/// `127.0.0.1:8080`, `[::1]:8080`, `:8080` (every IPv4 address). The address is numeric or
/// `localhost`, which means 127.0.0.1: what is bound must not depend on a name service.
std::optional<listen_address> parse_listen_address(std::string_view text);

/// What is wrong with `url` as an upstream's address; empty: nothing. It must be `http` or
/// `https`, with a host, without user, password, query or fragment.
std::string_view fault_of_base_url(std::string_view url);

/// Without a `/` at its end and without the version path that the API's own paths begin with
/// (`/v1beta`, `/v1beta1/publishers/google`), which many configurations carry.
std::string normalized_base_url(std::string_view url);

/// What is wrong with `url` as an outgoing proxy; empty: nothing. It is `http`, `https`, `socks5`
/// or `socks5h`, perhaps a user and a password, a host and a port.
std::string_view fault_of_proxy(std::string_view url);

/// Where a proxy is, with `***` for its user and password: `http://***@host:3128`.
std::string masked_proxy(std::string_view url);

/// What the name of a time zone looks like. Whether there is such a zone, only a machine knows.
bool is_zone_name(std::string_view text);

/// What the name of a model, or a pattern of names, may be.
bool is_model_name(std::string_view text);

/// Scheme, host and port and nothing else, as a browser's `Origin` header says it; or `*`.
bool is_origin(std::string_view text);

/// RFC 9110 section 5.6.2.
bool is_header_name(std::string_view text);

/// Can stand in a header line and hides nothing: printable ASCII, spaces only if `spaces`.
bool is_printable(std::string_view text, bool spaces);

/// 64 hex digits.
bool is_sha256(std::string_view text);

} // namespace troupe::config
