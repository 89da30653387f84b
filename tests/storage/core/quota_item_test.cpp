#include "storage/core/quota_item.hpp"

#include "tests/storage/core/record_support.hpp"

#include <limits>

namespace troupe::storage {
namespace {

quota_record full() {
  quota_record r;
  r.written_at_ms = 0x0102;
  r.calls = 5;
  r.calls_ceiling = 0x80;
  r.tokens = 0;
  r.tokens_ceiling = 0x7F;
  r.windows = {{"m", limit_kind::rpm, {{0x0101, 2}, {0x0103, 300}}}, {"", limit_kind::tpd, {}}};
  r.learnt = {{{"m", limit_kind::rpd, 250}, limit_source::told, 0x0100},
              {{"", limit_kind::tpm, 1}, limit_source::estimated, 0x0102}};
  return r;
}

TEST(quota_item, has_this_layout) {
  EXPECT_EQ(hex(encode(full())), "01"
                                 "0201000000000000" // written
                                 "05"
                                 "8001"
                                 "00"
                                 "7f"
                                 "02"
                                 "01006d"
                                 "01"
                                 "02"
                                 "0102"   // one before, 2
                                 "04ac02" // two later, 300
                                 "0000"
                                 "06"
                                 "00"
                                 "02"
                                 "01006d"
                                 "05"
                                 "01"
                                 "fa01"
                                 "03"
                                 "0000"
                                 "02"
                                 "02"
                                 "01"
                                 "00");
}

TEST(quota_item, is_read_as_it_was_written) {
  const auto read = decode_quota_record(encode(full()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, full());
  EXPECT_EQ(decode_quota_record(encode(quota_record{})).value(), quota_record{});
}

TEST(quota_item, keeps_every_instant_and_every_amount) {
  constexpr auto first = std::numeric_limits<std::int64_t>::min();
  constexpr auto last = std::numeric_limits<std::int64_t>::max();
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  quota_record r;
  r.written_at_ms = last;
  r.calls = most;
  r.windows = {{"m", limit_kind::rpm, {{first, most}, {last, 0}, {0, 1}, {first, 1}}}};
  r.learnt = {{{"", limit_kind::rpm, most}, limit_source::told, first}};
  EXPECT_EQ(decode_quota_record(encode(r)).value(), r);
}

TEST(quota_item, any_record_is_read_as_it_was_written) {
  any_values any(4);
  for (int i = 0; i < 500; ++i) {
    quota_record r;
    r.written_at_ms = any.as<std::int64_t>();
    r.calls = any.number();
    r.calls_ceiling = any.number();
    r.tokens = any.number();
    r.tokens_ceiling = any.number();
    r.windows.resize(any.below(4));
    for (auto& w : r.windows) {
      w.model = any.text();
      w.kind = static_cast<limit_kind>(1 + any.below(7));
      w.entries.resize(any.below(5));
      for (auto& e : w.entries)
        e = {any.as<std::int64_t>(), any.number()};
    }
    r.learnt.resize(any.below(4));
    for (auto& t : r.learnt)
      t = {{any.text(), static_cast<limit_kind>(1 + any.below(7)), any.number()},
           any.coin() ? limit_source::told : limit_source::estimated,
           any.as<std::int64_t>()};
    ASSERT_EQ(decode_quota_record(encode(r)).value(), r) << i;
  }
}

TEST(quota_item, believes_nothing_that_it_would_not_write) {
  keeps_the_rules_of_decoders(encode(full()), decode_quota_record);
}

TEST(quota_item, refuses_numbers_in_more_bytes_than_they_need) {
  auto bytes = encode(quota_record{});
  bytes.replace(9, 1, std::string{"\x80\x00", 2}); // calls = 0 in two bytes
  const auto read = decode_quota_record(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, errc::corrupt);
  bytes.replace(9, 2, std::string(9, '\xff') + '\x02'); // more than 64 bits
  EXPECT_FALSE(decode_quota_record(bytes));
}

TEST(quota_item, takes_no_memory_for_counts_that_lie) {
  auto bytes = encode(quota_record{});
  bytes.resize(bytes.size() - 2);
  bytes += "\xff\xff\xff\xff\x0f"; // windows
  const auto read = decode_quota_record(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, errc::corrupt);
}

TEST(quota_item, of_100_limits_with_61_entries_each_stays_below_100_kib) {
  quota_record r;
  r.written_at_ms = 1'800'000'000'000;
  for (int l = 0; l < 100; ++l) {
    auto& w = r.windows.emplace_back();
    w.model = "a-model-with-a-rather-long-name-" + std::to_string(l);
    w.kind = limit_kind::input_tpm;
    for (int e = 0; e <= 60; ++e)
      w.entries.push_back({r.written_at_ms - 60'000 + e * 1'000, 4'000'000'000});
  }
  EXPECT_LT(encode(r).size(), 100 * 1'024);
}

} // namespace
} // namespace troupe::storage
