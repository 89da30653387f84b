#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::gemini {

/// The call id without the signature that may follow in it (S2).
std::string_view base_id(std::string_view id);

/// The signature part of a call id, still in its URL-safe form; empty if it has none or one
/// that cannot be base64.
std::string_view signature_tail(std::string_view id);

/// The function calls of a conversation so far, to find what a tool's result answers
/// (C3, M6). Ids are views that must outlive the index.
///
/// Clients reuse ids: a result belongs to the last message that has a call with its id, and
/// within that message to the first such call that has no result yet.
class call_index {
public:
  struct call {
    std::string_view name;
    std::size_t position; ///< in the order of all calls
  };

  void clear();

  /// Calls added from here on belong to a new message.
  void begin_message() { ++message_; }

  void add(std::string_view id, std::string_view name);

  /// The call that a result with this base id answers, if there is one.
  std::optional<call> answered_by(std::string_view id);

  std::size_t size() const { return calls_.size(); }

private:
  struct record {
    std::string_view name;
    std::size_t next_with_id; ///< in the same message; `none` at the end
  };
  struct entry {
    std::string_view id;
    std::size_t message;
    std::size_t next; ///< the call that the next result with this id answers
    std::size_t last;
  };

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  static constexpr std::size_t linear_max = 16; ///< ids; more are looked up by hash

  entry* find(std::string_view id);

  std::vector<record> calls_;
  std::vector<entry> entries_; ///< one for each id
  std::unordered_map<std::string_view, std::size_t> by_id_;
  std::size_t message_ = 0;
};

} // namespace troupe::gemini
