#include "sandbox/gzip.hpp"

#include <zlib.h>

namespace sandbox {

struct gzipper::state {
  z_stream z{};
};

gzipper::gzipper() : state_(std::make_unique<state>()) {
  constexpr int gzip_window = 15 + 16;
  ::deflateInit2(&state_->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY);
}

gzipper::~gzipper() {
  ::deflateEnd(&state_->z);
}

std::string gzipper::add(std::string_view piece, bool last) {
  auto& z = state_->z;
  std::string out;
  char buffer[16 * 1024];
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  z.avail_in = static_cast<uInt>(piece.size());
  do {
    z.next_out = reinterpret_cast<Bytef*>(buffer);
    z.avail_out = sizeof buffer;
    ::deflate(&z, last ? Z_FINISH : Z_SYNC_FLUSH);
    out.append(buffer, sizeof buffer - z.avail_out);
  } while (z.avail_out == 0);
  return out;
}

} // namespace sandbox
