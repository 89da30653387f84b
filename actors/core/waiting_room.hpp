#pragma once

// The waiting room: requests that wait, up to a deadline, for a key.
//
// A request waits in a line: those that the same keys can serve. Within a line credentials take
// turns, one request each, however many each has waiting; a credential's own requests are
// served in the order in which they came. So whoever floods waits behind itself.
//
// The room is bounded as a whole. One credential may fill all of it while nobody else wants to
// wait. When it is full and another comes that has fewer waiting, the request of the credential
// with the most waiting that came last gives way: a flood keeps nobody out. As long as no two
// credentials differ by more than one, the room is simply full.
//
// Every request takes about 120 bytes, and each credential in each line about 170 more.
// Nothing here walks over those who wait: `steps` counts, so that tests can hold this promise
// without a clock.

#include "actors/core/slab.hpp"
#include "actors/core/slab_heap.hpp"
#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

/// Who wants to wait, for what, until when.
struct waiting_wish {
  std::uint64_t ticket = 0; ///< the caller's name for the request, never twice in the room
  std::uint64_t line = 0;
  std::uint64_t who = 0; ///< the credential
  time_point deadline{};
};

/// Who was called. All of it is needed to go back to the same place.
struct waiting_request {
  waiting_wish wish;
  time_point since{};     ///< it waits
  std::int64_t order = 0; ///< among those of its credential
  std::uint64_t turn = 0; ///< its credential's, when it was called
};

enum class waiting_answer : std::uint8_t {
  accepted,
  full,            ///< of others, none of whom has more than one request waiting
  too_many_of_one, ///< full, and this credential has as many waiting as any, or one fewer
};

struct waiting_entry {
  waiting_answer what = waiting_answer::accepted;
  /// `accepted`: the request that had to give way, if any. It has left.
  std::optional<std::uint64_t> displaced;

  friend bool operator==(const waiting_entry&, const waiting_entry&) = default;
};

/// Owned by one actor.
class waiting_room {
public:
  explicit waiting_room(std::size_t waiting_max) : waiting_max_(waiting_max) {}

  /// Lowered below those who wait, it sends nobody away.
  void change_max(std::size_t waiting_max) { waiting_max_ = waiting_max; }

  /// Stands last of its credential. A credential that had nobody in this line comes after all
  /// that have.
  waiting_entry enter(const waiting_wish& w, time_point now);
  /// For a request that had a key and came back: stands first of its credential. In a full room
  /// its credential's last one gives way.
  waiting_entry enter_first(const waiting_wish& w, time_point now);

  /// Whose turn it is in `line`; it has left. Deadlines are not looked at: `expire` first.
  std::optional<waiting_request> next(std::uint64_t line);
  /// Undoes `next`: the request is where it was, and so is its credential's turn. Of several,
  /// the one that was called last goes back first. Never refused: its place was free.
  void skip(const waiting_request& r);

  /// A client that left. False: it does not wait.
  bool leave(std::uint64_t ticket);
  /// Those whose deadline has passed, in the order of deadlines; they have left.
  std::vector<std::uint64_t> expire(time_point now);
  std::optional<time_point> next_deadline() const;

  std::size_t size() const { return deadlines_.size(); }
  std::size_t waiting_of(std::uint64_t who) const;
  std::size_t waiting_in(std::uint64_t line) const;
  /// Lines with anybody, the one whose next has waited longest for its turn first.
  std::vector<std::uint64_t> lines() const;
  /// How long the one that has been here longest waits; 0: nobody does.
  duration longest_wait(time_point now) const;

  /// Requests, credentials and levels looked at since the beginning.
  std::uint64_t steps() const { return steps_; }

private:
  struct entry {
    std::uint64_t ticket = 0;
    time_point deadline{};
    time_point since{};
    std::int64_t order = 0;
    std::uint32_t queue = nowhere;
    std::uint32_t in_deadlines = 0;
    std::uint32_t in_ages = 0;
    chain_link in_queue;
  };
  /// The requests of one credential in one line. There is none without a request.
  struct queue {
    std::uint64_t line = 0;
    std::uint64_t who = 0;
    std::uint64_t turn = 0; ///< the credential with the least is next
    chain<entry, &entry::in_queue> entries;
    chain_link in_line;
    chain_link in_credential;
  };
  struct line_state {
    std::size_t waiting = 0;
    chain<queue, &queue::in_line> turns;
  };
  struct credential {
    std::uint32_t waiting = 0;
    chain<queue, &queue::in_credential> queues;
  };
  struct pair_hash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& p) const;
  };

  waiting_entry make_room(std::uint64_t who, bool first);
  std::uint32_t last_of(std::uint64_t who);
  std::uint32_t queue_of(std::uint64_t line, std::uint64_t who, std::uint64_t turn);
  void take_turn(std::uint32_t at, std::uint64_t turn);
  void put(const waiting_request& r);
  waiting_request remove(std::uint32_t at);
  void count(std::uint64_t who, credential& c, int change);

  std::size_t waiting_max_;
  slab<entry> entries_;
  slab<queue> queues_;
  std::unordered_map<std::uint64_t, std::uint32_t> entry_of_; ///< by ticket
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t, pair_hash> queue_of_;
  std::unordered_map<std::uint64_t, line_state> lines_;
  std::unordered_map<std::uint64_t, credential> credentials_;
  std::set<std::pair<std::uint32_t, std::uint64_t>> by_waiting_; ///< credentials
  slab_heap<entry, &entry::deadline, &entry::in_deadlines> deadlines_;
  slab_heap<entry, &entry::since, &entry::in_ages> ages_;
  std::int64_t orders_ = 0;       ///< given to those who enter
  std::int64_t orders_first_ = 0; ///< given, downwards, to those who came back
  std::uint64_t turns_ = 0;
  std::uint64_t steps_ = 0;
};

} // namespace troupe
