#include "protocol/json/reader.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

namespace troupe::json {

namespace {

client_error refusal(fault what, std::string message) {
  client_error error;
  error.what = what;
  error.message = std::move(message);
  return error;
}

client_error not_json(std::string message) {
  return refusal(fault::invalid_json, std::move(message));
}

client_error describe(simdjson::error_code error) {
  switch (error) {
  case simdjson::EMPTY:
    return not_json("The request body is empty; JSON is expected.");
  case simdjson::UTF8_ERROR:
    return not_json("The request body is not valid UTF-8.");
  case simdjson::DEPTH_ERROR:
    return not_json("The JSON of the request body is nested too deeply.");
  case simdjson::NUMBER_ERROR:
    return not_json("The request body holds a number that is malformed or out of range.");
  case simdjson::STRING_ERROR:
    return not_json("The request body holds a malformed string or escape.");
  default:
    return not_json("The request body is not valid JSON.");
  }
}

} // namespace

// Grows in powers of two, so that slowly growing bodies do not reallocate each time.
bool reader::reserve(std::size_t bytes) {
  if (padded_ && bytes <= capacity_)
    return true;
  const auto capacity = std::bit_ceil(std::max<std::size_t>(bytes, 16 * 1024));
  capacity_ = 0;
  padded_.reset(new (std::nothrow) char[capacity + simdjson::SIMDJSON_PADDING]);
  if (!padded_ || parser_.allocate(capacity, depth_max) != simdjson::SUCCESS
      || parser_.doc.allocate(capacity) != simdjson::SUCCESS)
    return false;
  capacity_ = capacity;
  return true;
}

std::variant<element, client_error> reader::parse(std::string_view body) {
  if (body.size() <= kept_bytes_max)
    release_large();
  if (!reserve(body.size()))
    return refusal(fault::too_large, "The request body is too large to be parsed.");
  // In pieces: a copy of many kilobytes becomes one string instruction in libc, which every
  // counter of instructions counts byte by byte.
  for (std::size_t done = 0; done < body.size();) {
    const auto piece = std::min<std::size_t>(body.size() - done, 1024);
    std::memcpy(padded_.get() + done, body.data() + done, piece);
    done += piece;
  }
  // The overread bytes do not matter, but they must be the same in every run.
  std::memset(padded_.get() + body.size(), 0, simdjson::SIMDJSON_PADDING);
  element root;
  if (const auto error = parser_.parse(padded_.get(), body.size(), false).get(root))
    return describe(error);
  return root;
}

void reader::release_large() {
  if (capacity_ <= kept_bytes_max)
    return;
  parser_ = simdjson::dom::parser{};
  padded_.reset();
  capacity_ = 0;
}

std::optional<std::int64_t> as_integer(const element& value) {
  switch (value.type()) {
  case element_type::INT64:
    return value.get_int64().value_unsafe();
  case element_type::DOUBLE: {
    const double number = value.get_double().value_unsafe();
    // Beyond 2^53 a double names no single integer.
    if (std::abs(number) <= 9007199254740992.0 && std::trunc(number) == number)
      return static_cast<std::int64_t>(number);
    return std::nullopt;
  }
  default:
    return std::nullopt;
  }
}

bool is_empty(const simdjson::dom::object& object) {
  return object.begin() == object.end();
}

} // namespace troupe::json
