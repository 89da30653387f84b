#pragma once

#include "actors/scheduler/hand_off.hpp"
#include "actors/scheduler/job_queue.hpp"
#include "actors/scheduler/loop_inbox.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

/// Stress for what threads hand to each other. An item names its sender and its place in the
/// sender's row, and lives on the heap, so that a lost, doubled, swapped or torn one shows.

namespace troupe {

/// Stands for a lock that somebody forgot.
struct no_mutex {
  void lock() {}
  void unlock() {}
};

struct parcel {
  unsigned sender;
  std::uint64_t place;
};

using parcel_ptr = std::unique_ptr<parcel>;

/// What one owner has received.
class ledger {
public:
  explicit ledger(unsigned senders) : next_(senders, 0) {}

  void enter(const parcel& x) {
    in_order_ = in_order_ && next_[x.sender] == x.place;
    next_[x.sender] = x.place + 1;
    ++received_;
  }

  std::uint64_t received() const { return received_; }
  bool in_order() const { return in_order_; }

private:
  std::vector<std::uint64_t> next_;
  std::uint64_t received_ = 0;
  bool in_order_ = true;
};

/// Stands for the kernel's wake-up of a sleeping owner: exactly as many as were asked for.
class bell {
public:
  void ring() { rings_.fetch_add(1, std::memory_order_release); }

  /// Sleeps until somebody rings; takes one ring.
  void wait() {
    while (!try_take())
      std::this_thread::yield();
  }

  bool try_take() {
    auto n = rings_.load(std::memory_order_acquire);
    while (n != 0)
      if (rings_.compare_exchange_weak(n, n - 1, std::memory_order_acquire))
        return true;
    return false;
  }

private:
  std::atomic<std::uint64_t> rings_{0};
};

struct stress_size {
  unsigned senders = 3;
  std::uint64_t items = 50'000;
};

inline std::vector<std::thread> send_from(const stress_size& size,
                                          const std::function<void(parcel_ptr)>& send) {
  std::vector<std::thread> threads;
  for (unsigned s = 0; s < size.senders; ++s)
    threads.emplace_back([s, &size, send] {
      for (std::uint64_t n = 0; n < size.items; ++n) {
        send(std::make_unique<parcel>(parcel{s, n}));
        if (n % 64 == s)
          std::this_thread::yield();
      }
    });
  return threads;
}

/// An owner that sleeps whenever it may. A wake-up too few would hang it.
template <class Mutex>
ledger stress_hand_off(const stress_size& size) {
  hand_off<parcel_ptr, Mutex> crossing;
  bell wake_up;
  ledger book{size.senders};
  auto threads = send_from(size, [&](parcel_ptr x) {
    if (crossing.put(std::move(x)) == put_result::wake)
      wake_up.ring();
  });
  std::deque<parcel_ptr> taken;
  while (book.received() < size.senders * size.items) {
    wake_up.wait();
    do {
      crossing.take(taken);
      for (; !taken.empty(); taken.pop_front())
        book.enter(*taken.front());
    } while (!crossing.rest());
  }
  for (auto& x : threads)
    x.join();
  return book;
}

/// Two owners of which each gives half of what it has to the other when it has much. The
/// answer is how many items both have run.
template <class Mutex>
std::uint64_t stress_job_queue(const stress_size& size) {
  struct owner {
    job_queue<parcel_ptr, Mutex> jobs;
    bell wake_up;
    bool scheduled = false; // owner's thread
  };
  owner owners[2];
  std::atomic<std::uint64_t> ran{0};
  std::atomic<bool> ended{false};
  const auto total = size.senders * size.items;
  auto threads = send_from(size, [&](parcel_ptr x) {
    auto& to = owners[x->place % 16 == 0 ? 1 : 0];
    if (to.jobs.put(std::move(x)) == put_result::wake)
      to.wake_up.ring();
  });
  const auto work = [&](owner& self, owner& other) {
    while (!ended) {
      const bool woken = self.wake_up.try_take() && self.jobs.woken();
      if (!woken && !self.scheduled) {
        std::this_thread::yield();
        continue;
      }
      self.scheduled = self.jobs.turn({}, [&](parcel_ptr& x) {
        if (x->sender < 1'000) { // every job runs twice
          x->sender += 1'000;
          return true;
        }
        ran.fetch_add(1, std::memory_order_relaxed);
        return false;
      });
      if (self.scheduled && self.jobs.crowded(64) && !other.jobs.busy()
          && self.jobs.share_with(other.jobs))
        other.wake_up.ring();
      if (ran.load(std::memory_order_relaxed) == total)
        ended = true;
    }
  };
  threads.emplace_back([&] { work(owners[0], owners[1]); });
  threads.emplace_back([&] { work(owners[1], owners[0]); });
  for (auto& x : threads)
    x.join();
  return ran;
}

struct inbox_outcome {
  ledger book;
  std::uint64_t sent = 0;        ///< accepted by the inbox
  std::uint64_t refused = 0;     ///< after it was closed
  std::uint64_t calls_after = 0; ///< wake-ups that came after it had been idle
};

/// The owner also sends to itself, as actors on its loop do, and closes the inbox while the
/// others still send.
template <class Mutex>
inbox_outcome stress_loop_inbox(const stress_size& size, std::uint64_t close_after) {
  loop_inbox<parcel_ptr, Mutex> inbox;
  bell wake_up;
  const auto self = size.senders;
  inbox_outcome out{ledger{size.senders + 1}};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  inbox.belongs_here();
  auto threads = send_from(size, [&](parcel_ptr x) {
    switch (inbox.put(std::move(x))) {
    case put_result::wake:
      wake_up.ring();
      [[fallthrough]];
    case put_result::taken:
      accepted.fetch_add(1, std::memory_order_relaxed);
      break;
    case put_result::closed:
      refused.fetch_add(1, std::memory_order_relaxed);
      break;
    }
  });
  const auto total = size.senders * size.items;
  bool scheduled = false;
  bool closed = false;
  std::uint64_t own = 0;
  const auto send_to_self = [&] {
    const auto put = inbox.put(std::make_unique<parcel>(parcel{self, own}));
    if (put == put_result::closed)
      return;
    ++own;
    scheduled = scheduled || put == put_result::wake;
  };
  while (!closed || !inbox.idle()) {
    const bool woken = wake_up.try_take() && inbox.woken();
    if (woken || scheduled)
      scheduled = inbox.turn({}, [&](parcel_ptr& x) {
        out.book.enter(*x);
        if (x->sender != self && x->place % 4 == 0)
          send_to_self();
      });
    else
      std::this_thread::yield();
    const auto gone_by = accepted.load() + refused.load();
    if (!closed && (out.book.received() >= close_after || gone_by == total)) {
      closed = true;
      inbox.close();
    }
  }
  for (auto& x : threads)
    x.join();
  while (wake_up.try_take())
    ++out.calls_after;
  out.sent = accepted + own;
  out.refused = refused;
  return out;
}

} // namespace troupe
