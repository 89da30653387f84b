#include "http/detail/client_inflate.hpp"

#include "http/headers.hpp"

namespace troupe::http::detail {

namespace {

constexpr int window_bits = 15;
constexpr int gzip_wrapper = 16;

} // namespace

inflater::inflater(format f)
    : out_(std::make_unique_for_overwrite<char[]>(step_bytes)), format_(f) {}

inflater::~inflater() {
  if (begun_)
    inflateEnd(&stream_);
}

void inflater::feed(std::string_view packed) {
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream_.avail_in = static_cast<uInt>(packed.size());
}

bool inflater::begin(unsigned char first) {
  // `deflate` means the zlib wrapper, but some send the bare stream. A zlib stream begins
  // with 8 in its low bits; a bare one would have to begin with a stored block whose unused
  // bits are not zero, which no packer writes.
  int bits = window_bits;
  if (format_ == format::gzip)
    bits += gzip_wrapper;
  else if ((first & 0x0f) != 8)
    bits = -bits;
  begun_ = inflateInit2(&stream_, bits) == Z_OK;
  return begun_;
}

result<std::string_view> inflater::next() {
  while (true) {
    if (at_end_ && stream_.avail_in > 0) {
      // The first bytes, or another gzip member after the one that ended.
      if (begun_ && (format_ != format::gzip || inflateReset(&stream_) != Z_OK))
        return failure(errc::upstream_malformed, "bytes follow the packed body");
      if (!begun_ && !begin(*stream_.next_in))
        return failure(errc::upstream_malformed, "the packed body cannot be unpacked");
      at_end_ = false;
    }
    if (at_end_)
      return std::string_view{};
    stream_.next_out = reinterpret_cast<Bytef*>(out_.get());
    stream_.avail_out = static_cast<uInt>(step_bytes);
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    if (outcome == Z_STREAM_END)
      at_end_ = true;
    else if (outcome != Z_OK && outcome != Z_BUF_ERROR)
      return failure(errc::upstream_malformed, "the packed body cannot be unpacked");
    const auto bytes = step_bytes - stream_.avail_out;
    if (bytes > 0)
      return std::string_view{out_.get(), bytes};
    if (stream_.avail_in == 0)
      return std::string_view{};
  }
}

coding read_coding(std::string_view content_encoding) {
  if (content_encoding.empty() || same_name(content_encoding, "identity"))
    return {true, std::nullopt};
  if (same_name(content_encoding, "gzip") || same_name(content_encoding, "x-gzip"))
    return {true, inflater::format::gzip};
  if (same_name(content_encoding, "deflate"))
    return {true, inflater::format::deflate};
  return {false, std::nullopt};
}

} // namespace troupe::http::detail
