#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sandbox {

/// Compresses a body, flushing after each piece as servers do for streams.
class gzipper {
public:
  gzipper();
  ~gzipper();
  gzipper(const gzipper&) = delete;
  gzipper& operator=(const gzipper&) = delete;

  std::string add(std::string_view piece, bool last);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace sandbox
