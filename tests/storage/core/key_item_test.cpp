#include "storage/core/key_item.hpp"

#include "tests/storage/core/record_support.hpp"

namespace troupe::storage {
namespace {

key_item full() {
  key_item k;
  k.sealed_secret = "SEALED";
  k.upstream = "main";
  k.kind = "gemini";
  k.name = "n";
  k.domain = "d";
  k.groups = {"free", ""};
  k.tags = {"t"};
  k.weight = 0x01020304;
  k.tier = -2;
  k.limits = {{"flash", limit_kind::rpm, 15}, {"", limit_kind::concurrency, 0x0102}};
  k.proxy_sealed = "PX";
  k.note = "hi";
  return k;
}

key_item any_key(any_values& v) {
  key_item k;
  k.enabled = v.coin();
  k.sealed_secret = v.text();
  k.upstream = v.text();
  k.kind = v.text();
  k.name = v.text();
  k.domain = v.text();
  k.groups = v.texts();
  k.tags = v.texts();
  k.weight = v.as<std::uint32_t>();
  k.tier = v.as<std::int32_t>();
  k.limits.resize(v.below(4));
  for (auto& l : k.limits)
    l = {v.text(), static_cast<limit_kind>(1 + v.below(7)), v.number()};
  k.proxy_sealed = v.text();
  k.note = v.text();
  return k;
}

TEST(key_item, schema_1_lies_on_disk_as_documented) {
  EXPECT_EQ(hex(encode(full())), "01" // schema
                                 "01" // flags: enabled
                                 "06000000"
                                 "5345414c4544" // sealed secret
                                 "0400"
                                 "6d61696e" // upstream
                                 "0600"
                                 "67656d696e69" // kind
                                 "0100"
                                 "6e" // name
                                 "0100"
                                 "64" // domain
                                 "0200"
                                 "6869" // note
                                 "02000000"
                                 "5058" // sealed proxy
                                 "0200" // groups
                                 "0400"
                                 "66726565"
                                 "0000"
                                 "0100"
                                 "0100"
                                 "74"       // tags
                                 "04030201" // weight
                                 "feffffff" // tier
                                 "0200"     // limits
                                 "0500"
                                 "666c617368"
                                 "01"
                                 "0f00000000000000"
                                 "0000"
                                 "07"
                                 "0201000000000000");
}

TEST(key_item, a_key_that_is_not_enabled_differs_in_its_flags_only) {
  auto k = full();
  k.enabled = false;
  auto expected = encode(full());
  expected[1] = 0;
  EXPECT_EQ(encode(k), expected);
}

TEST(key_item, reads_what_it_wrote) {
  EXPECT_EQ(*decode_key_item(encode(full())), full());
  EXPECT_EQ(*decode_key_item(encode(key_item{})), key_item{});
  any_values v(1);
  for (int i = 0; i < 2'000; ++i) {
    const auto k = any_key(v);
    const auto read = decode_key_item(encode(k));
    ASSERT_TRUE(read) << i;
    ASSERT_EQ(*read, k) << i;
  }
}

TEST(key_item, damaged_bytes_are_refused_or_read_for_what_they_say) {
  keeps_the_rules_of_decoders(encode(full()), decode_key_item);
}

TEST(key_item, refuses_a_schema_it_does_not_know_by_its_number) {
  auto bytes = encode(full());
  bytes[0] = 2;
  EXPECT_EQ(decode_key_item(bytes).error(),
            failure(errc::corrupt, "a key's record has schema 2, this version knows 1"));
}

TEST(key_item, refuses_flags_and_limits_it_does_not_know) {
  const failure unknown(errc::corrupt, "a key's record says what this version does not know");
  auto flags = encode(full());
  flags[1] = 2;
  EXPECT_EQ(decode_key_item(flags).error(), unknown);
  for (const char kind : {'\0', '\x08', '\xFF'}) {
    auto limits = encode(full());
    limits[limits.size() - 9] = kind; // of the last limit
    EXPECT_EQ(decode_key_item(limits).error(), unknown) << static_cast<int>(kind);
  }
}

TEST(key_item, failures_repeat_nothing_of_the_record) {
  const auto bytes = encode(full());
  for (std::size_t length = 1; length < bytes.size(); ++length)
    EXPECT_EQ(decode_key_item(bytes.substr(0, length)).error().text,
              "a key's record ends too soon");
  EXPECT_EQ(decode_key_item(bytes + "x").error().text, "a key's record has bytes too many");
  EXPECT_EQ(decode_key_item("").error().text, "a key's record is empty");
}

TEST(key_item, texts_and_lists_that_are_too_long_are_cut_not_wrapped) {
  key_item k;
  k.note.assign(70'000, 'x');
  k.tags.assign(70'000, "t");
  k.limits.assign(70'000, {"m", limit_kind::tpm, 1});
  const auto read = decode_key_item(encode(k));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->note.size(), 65'535U);
  EXPECT_EQ(read->tags.size(), 65'535U);
  EXPECT_EQ(read->limits.size(), 65'535U);
}

TEST(key_item, kinds_of_limits_keep_their_numbers_and_names) {
  const std::vector<std::pair<int, std::string_view>> expected{
      {1, "rpm"}, {2, "tpm"}, {3, "input_tpm"},  {4, "output_tpm"},
      {5, "rpd"}, {6, "tpd"}, {7, "concurrency"}};
  for (const auto& [number, name] : expected)
    EXPECT_EQ(to_string(static_cast<limit_kind>(number)), name);
}

} // namespace
} // namespace troupe::storage
