#include "storage/core/audit_entry.hpp"

#include "tests/storage/core/record_support.hpp"

namespace troupe::storage {
namespace {

audit_entry full() {
  return {.at_ms = 0x0102030405060708,
          .who = "ops",
          .from = "::1",
          .action = "keys.add",
          .target = "k1",
          .before = 1,
          .after = 2,
          .request_id = "r",
          .changes = "{}"};
}

audit_entry any_entry(any_values& v) {
  return {.at_ms = v.as<std::int64_t>(),
          .who = v.text(),
          .from = v.text(),
          .action = v.text(),
          .target = v.text(),
          .before = v.number(),
          .after = v.number(),
          .request_id = v.text(),
          .changes = v.text(300)};
}

TEST(audit_entry, schema_1_lies_on_disk_as_documented) {
  EXPECT_EQ(hex(encode(full())), "01"               // schema
                                 "0807060504030201" // at
                                 "0100000000000000" // before
                                 "0200000000000000" // after
                                 "0300"
                                 "6f7073" // who
                                 "0300"
                                 "3a3a31" // from
                                 "0800"
                                 "6b6579732e616464" // action
                                 "0200"
                                 "6b31" // target
                                 "0100"
                                 "72" // request_id
                                 "02000000"
                                 "7b7d"); // changes
}

TEST(audit_entry, reads_what_it_wrote) {
  EXPECT_EQ(*decode_audit_entry(encode(full())), full());
  EXPECT_EQ(*decode_audit_entry(encode(audit_entry{})), audit_entry{});
  any_values v(4);
  for (int i = 0; i < 2'000; ++i) {
    const auto e = any_entry(v);
    const auto read = decode_audit_entry(encode(e));
    ASSERT_TRUE(read) << i;
    ASSERT_EQ(*read, e) << i;
  }
}

TEST(audit_entry, damaged_bytes_are_refused_or_read_for_what_they_say) {
  keeps_the_rules_of_decoders(encode(full()), decode_audit_entry);
}

TEST(audit_entry, refuses_a_schema_it_does_not_know_by_its_number) {
  auto bytes = encode(full());
  bytes[0] = 2;
  EXPECT_EQ(decode_audit_entry(bytes).error(),
            failure(errc::corrupt, "an audit entry has schema 2, this version knows 1"));
}

TEST(audit_entry, changes_may_be_longer_than_a_text) {
  auto e = full();
  e.changes.assign(100'000, 'x');
  EXPECT_EQ(decode_audit_entry(encode(e))->changes.size(), 100'000U);
}

TEST(audit_entry, rows_lie_in_the_order_of_their_clocks) {
  EXPECT_EQ(hex(audit_row(0x0102030405060708)), "0102030405060708");
  any_values v(5);
  for (int i = 0; i < 1'000; ++i) {
    const auto a = v.number();
    const auto b = v.number();
    ASSERT_EQ(a < b, audit_row(a) < audit_row(b));
    ASSERT_EQ(clock_of_audit_row(audit_row(a)), a);
  }
  EXPECT_EQ(clock_of_audit_row("short"), 0U);
}

} // namespace
} // namespace troupe::storage
