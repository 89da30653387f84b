#include "http/detail/framing.hpp"

#include <algorithm>
#include <limits>

namespace troupe::http::detail {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// Calls `use` for each member of a comma-separated list.
template <class Use>
void each_member(std::string_view list, Use use) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto member = trim(list.substr(0, comma));
    if (!member.empty())
      use(member);
    if (comma == std::string_view::npos)
      return;
    list.remove_prefix(comma + 1);
  }
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  if (text.empty())
    return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (max - digit) / 10)
      return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

bool plausible_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return c > ' ' && c != '/' && c != '@' && c != ',' && c != '\\' && c != 0x7F;
  });
}

/// Collects what single fields say; judges them together at the end.
class reader {
public:
  reader(int minor_version, framing& out) : minor_version_(minor_version), out_(out) {}

  verdict take(const headers::field& f) {
    switch (f.name.size()) { // most names are told apart by their length alone
    case 4:
      return same_name(f.name, "host") ? take_host(f.value) : verdict{};
    case 6:
      return same_name(f.name, "expect") ? take_expect(f.value) : verdict{};
    case 10:
      if (same_name(f.name, "connection"))
        take_connection(f.value);
      return {};
    case 14:
      return same_name(f.name, "content-length") ? take_length(f.value) : verdict{};
    case 16:
      return same_name(f.name, "content-encoding") ? take_encoding(f.value) : verdict{};
    case 17:
      return same_name(f.name, "transfer-encoding") ? take_transfer(f.value) : verdict{};
    default:
      return {};
    }
  }

  verdict finish() {
    if (out_.chunked && out_.content_length)
      return {400, "both content-length and transfer-encoding"};
    if (out_.chunked && minor_version_ == 0)
      return {400, "transfer-encoding in HTTP/1.0"};
    if (minor_version_ > 0 && hosts_ == 0)
      return {400, "no host field"};
    out_.keep_alive = minor_version_ > 0 ? !close_ : keep_alive_ && !close_;
    if (minor_version_ == 0)
      out_.expects_continue = false; // RFC 9110, 10.1.1
    else if (unknown_expectation_)
      return {417, "unknown expectation"};
    if (unknown_coding_)
      return {501, "unknown transfer-encoding"};
    if (encoded_)
      return {415, "content-encoding is not supported"};
    return {};
  }

private:
  verdict take_host(std::string_view value) {
    if (++hosts_ > 1)
      return {400, "several host fields"};
    return plausible_host(value) ? verdict{} : verdict{400, "bad host field"};
  }

  verdict take_expect(std::string_view value) {
    if (same_name(value, "100-continue"))
      out_.expects_continue = true;
    else
      unknown_expectation_ = true;
    return {};
  }

  void take_connection(std::string_view value) {
    each_member(value, [this](std::string_view option) {
      close_ = close_ || same_name(option, "close");
      keep_alive_ = keep_alive_ || same_name(option, "keep-alive");
    });
  }

  verdict take_length(std::string_view value) {
    if (out_.content_length)
      return {400, "several content-length fields"};
    out_.content_length = parse_length(value);
    return out_.content_length ? verdict{} : verdict{400, "bad content-length"};
  }

  verdict take_encoding(std::string_view value) {
    each_member(value, [this](std::string_view coding) {
      encoded_ = encoded_ || !same_name(coding, "identity");
    });
    return {};
  }

  verdict take_transfer(std::string_view value) {
    if (out_.chunked)
      return {400, "several transfer-encoding fields"};
    out_.chunked = true; // or unknown, which is refused at the end
    int chunked = 0;
    std::string_view last;
    each_member(value, [&](std::string_view coding) {
      if (same_name(coding, "chunked"))
        ++chunked;
      else
        unknown_coding_ = true;
      last = coding;
    });
    if (last.empty() || chunked > 1 || (chunked == 1 && !same_name(last, "chunked")))
      return {400, "bad transfer-encoding"};
    return {};
  }

  int minor_version_;
  framing& out_;
  int hosts_ = 0;
  bool close_ = false;
  bool keep_alive_ = false;
  bool unknown_expectation_ = false;
  bool unknown_coding_ = false;
  bool encoded_ = false;
};

} // namespace

verdict read_framing(const headers& fields, int minor_version, framing& out) {
  out = {};
  reader r{minor_version, out};
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (const auto v = r.take(fields[i]); v.refused())
      return v;
  return r.finish();
}

std::optional<target_parts> split_target(std::string_view method, std::string_view target) {
  if (target == "*")
    return method == "OPTIONS" ? std::optional{target_parts{target, target, {}}} : std::nullopt;
  if (target.find('#') != std::string_view::npos)
    return std::nullopt;
  if (!target.starts_with('/')) {
    const auto mark = target.find("://");
    if (mark == std::string_view::npos)
      return std::nullopt;
    const auto scheme = target.substr(0, mark);
    if (!same_name(scheme, "http") && !same_name(scheme, "https"))
      return std::nullopt;
    const auto slash = target.find_first_of("/?", mark + 3);
    if (slash == mark + 3)
      return std::nullopt; // no host
    if (slash == std::string_view::npos)
      return target_parts{"/", "/", {}};
    if (target[slash] == '?')
      return target_parts{target.substr(slash), "/", target.substr(slash + 1)};
    target.remove_prefix(slash);
  }
  const auto question = target.find('?');
  if (question == std::string_view::npos)
    return target_parts{target, target, {}};
  return target_parts{target, target.substr(0, question), target.substr(question + 1)};
}

} // namespace troupe::http::detail
