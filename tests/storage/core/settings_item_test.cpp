#include "storage/core/settings_item.hpp"

#include "tests/storage/core/record_support.hpp"

namespace troupe::storage {
namespace {

settings_item full() {
  return {.sealed_document = "SEALED", .who = "ops", .from = "::1", .what = "changed a"};
}

TEST(settings_item, schema_1_lies_on_disk_as_documented) {
  EXPECT_EQ(hex(encode(full())), "01" // schema
                                 "06000000"
                                 "5345414c4544" // sealed document
                                 "0300"
                                 "6f7073" // who
                                 "0300"
                                 "3a3a31" // from
                                 "0900"
                                 "6368616e6765642061"); // what
}

TEST(settings_item, reads_what_it_wrote) {
  EXPECT_EQ(*decode_settings_item(encode(full())), full());
  any_values v(6);
  for (int i = 0; i < 2'000; ++i) {
    const settings_item s{
        .sealed_document = v.text(300), .who = v.text(), .from = v.text(), .what = v.text()};
    const auto read = decode_settings_item(encode(s));
    ASSERT_TRUE(read) << i;
    ASSERT_EQ(*read, s) << i;
  }
}

TEST(settings_item, damaged_bytes_are_refused_or_read_for_what_they_say) {
  keeps_the_rules_of_decoders(encode(full()), decode_settings_item);
}

TEST(settings_item, refuses_a_schema_it_does_not_know_by_its_number) {
  auto bytes = encode(full());
  bytes[0] = 9;
  EXPECT_EQ(decode_settings_item(bytes).error(),
            failure(errc::corrupt,
                    "a version of the settings has schema 9, this version of troupe knows 1"));
}

TEST(settings_item, versions_lie_in_order_under_a_prefix_of_their_own) {
  EXPECT_EQ(hex(version_row(258)), "76657273696f6e2f"
                                   "0000000000000102");
  EXPECT_LT(version_row(255), version_row(256));
  EXPECT_EQ(revision_of_row(version_row(7)), 7U);
  EXPECT_EQ(revision_of_row("document"), 0U);
  EXPECT_EQ(revision_of_row("vault/key/1"), 0U);
  EXPECT_EQ(revision_of_row("version/7"), 0U);
}

} // namespace
} // namespace troupe::storage
