#pragma once

#include "protocol/base/result.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace troupe::http::detail {

/// Bytes that were read and not yet used, in one piece of memory. Used bytes stay where they
/// are until `room` is asked for, so that views of them can be given out.
class read_buffer {
public:
  static constexpr std::size_t usual_bytes = 16 * 1024;

  char* data() { return memory_.get() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  void use(std::size_t n) {
    TROUPE_ASSERT(n <= size());
    begin_ += n;
  }

  /// Where the next bytes may be read to. Grows while unused bytes fill it, up to
  /// `bytes_max` or the usual size; of size 0 when that is full.
  boost::asio::mutable_buffer room(std::size_t bytes_max) {
    if (empty())
      begin_ = end_ = 0;
    if (capacity_ == 0)
      resize(usual_bytes);
    if (begin_ > 0 && capacity_ - end_ < usual_bytes / 4) {
      std::memmove(memory_.get(), data(), size());
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == capacity_ && capacity_ < bytes_max)
      resize(std::min(capacity_ * 2, bytes_max));
    return {memory_.get() + end_, capacity_ - end_};
  }

  void add(std::size_t n) {
    TROUPE_ASSERT(n <= capacity_ - end_);
    end_ += n;
  }

  /// Forgets everything; memory beyond the usual is given back.
  void clear() {
    begin_ = end_ = 0;
    if (capacity_ > usual_bytes) {
      memory_.reset();
      capacity_ = 0;
    }
  }

private:
  void resize(std::size_t capacity) {
    auto memory = std::make_unique_for_overwrite<char[]>(capacity);
    if (!empty())
      std::memcpy(memory.get(), data(), size());
    end_ -= begin_;
    begin_ = 0;
    memory_ = std::move(memory);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

} // namespace troupe::http::detail
