#include "actors/key/pool_actor.hpp"
#include "tests/support/still_system.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true; // sanitizers have an allocator of their own
#else
constexpr bool sanitized = false;
#endif

namespace troupe {
namespace {

class deaf final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return false; }
  void write(log_area, log_level, std::string_view, std::string_view) override {}
};

std::size_t bytes_in_use() {
  return ::mallinfo2().uordblks;
}

TEST(key_memory, ten_thousand_keys_take_less_than_45_megabytes) {
  if (sanitized)
    GTEST_SKIP();
  constexpr std::uint64_t keys = 10'000;
  still_system still;
  deaf log;
  pool_options options;
  options.keys.wall = [&] { return still.wall(); };
  options.keys.log = &log;
  const auto before = bytes_in_use();
  std::vector<pool_seed> seeds;
  for (std::uint64_t key = 1; key <= keys; ++key) {
    auto& seed = seeds.emplace_back();
    seed.key.key = key;
    seed.key.secret_text = secret{std::string(39, 'x')};
  }
  auto pool = still.system().spawn(pool_actor, options, std::move(seeds));
  still.settle_down();
  const auto asleep = (bytes_in_use() - before) / keys;
  EXPECT_LT(asleep, 4'000U);

  for (std::uint64_t i = 0; i < keys; ++i) { // each serves a call and is fully awake then
    acquire_request request;
    request.model = "flash";
    const auto lease = still.ask<acquire_reply>(pool, request);
    ASSERT_EQ(lease->grant, grant_kind::granted);
    settlement s;
    s.lease = lease->lease;
    caf::anon_send(lease->key_actor, s);
  }
  still.settle_down();
  still.pass(std::chrono::seconds{10}); // no timer is left
  const auto awake = (bytes_in_use() - before) / keys;
  EXPECT_LT(awake, 4'500U);
  RecordProperty("bytes_asleep", static_cast<int>(asleep));
  RecordProperty("bytes_awake", static_cast<int>(awake));
  caf::anon_send_exit(pool, caf::exit_reason::user_shutdown);
  pool = nullptr;
  still.settle_down();
}

} // namespace
} // namespace troupe
