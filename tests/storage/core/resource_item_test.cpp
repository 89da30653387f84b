#include "storage/core/resource_item.hpp"

#include "tests/storage/core/record_support.hpp"

namespace troupe::storage {
namespace {

constexpr resource_item full{
    .key = 0x0102030405060708, .credential = 0x1112131415161718, .expires_at_ms = -2};

TEST(resource_item, schema_1_lies_on_disk_as_documented) {
  EXPECT_EQ(hex(encode(full)), "01"                 // schema
                               "0807060504030201"   // key
                               "1817161514131211"   // credential
                               "feffffffffffffff"); // expires_at_ms
}

TEST(resource_item, reads_what_it_wrote) {
  any_values v(9);
  for (int i = 0; i < 2'000; ++i) {
    const resource_item r{v.number(), v.number(), v.as<std::int64_t>()};
    const auto read = decode_resource_item(encode(r));
    ASSERT_TRUE(read) << i;
    ASSERT_EQ(*read, r) << i;
  }
}

TEST(resource_item, damaged_bytes_are_refused_or_read_for_what_they_say) {
  keeps_the_rules_of_decoders(encode(full), decode_resource_item);
}

TEST(resource_item, refuses_a_schema_it_does_not_know_by_its_number) {
  auto bytes = encode(full);
  bytes[0] = 2;
  EXPECT_EQ(decode_resource_item(bytes).error(),
            failure(errc::corrupt, "a resource's record has schema 2, this version knows 1"));
}

} // namespace
} // namespace troupe::storage
