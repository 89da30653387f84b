#include "actors/admin/instants.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(instants, print_as_rfc_3339_in_utc) {
  EXPECT_EQ(instant_text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(instant_text(1'795'593'600'007), "2026-11-25T08:00:00.007Z");
  EXPECT_EQ(instant_text(-1), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(instant_text(9'000'000'000'000'000), "9999-12-31T23:59:59.999Z");
}

TEST(instants, read_any_offset_and_fraction) {
  EXPECT_EQ(parse_instant("2026-11-25T08:00:00.007Z"), 1'795'593'600'007);
  EXPECT_EQ(parse_instant("2026-11-25t08:00:00z"), 1'795'593'600'000);
  EXPECT_EQ(parse_instant("2026-11-25T09:30:00+01:30"), 1'795'593'600'000);
  EXPECT_EQ(parse_instant("2026-11-25T03:00:00.5-05:00"), 1'795'593'600'500);
  EXPECT_EQ(parse_instant("2026-11-25T08:00:00.0079999Z"), 1'795'593'600'007);
  EXPECT_EQ(parse_instant("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(instants, refuse_what_is_no_instant) {
  for (const auto* text : {"", "2026-11-25", "2026-11-25T08:00:00", "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z", "2026-11-25T24:00:00Z", "2026-11-25T08:60:00Z",
                           "2026-11-25T08:00:00.Z", "2026-11-25T08:00:00Zx", "2026-11-25 08:00:00Z",
                           "2026-11-25T08:00:00+24:00", "26-11-25T08:00:00Z"})
    EXPECT_EQ(parse_instant(text), std::nullopt) << text;
}

} // namespace
} // namespace troupe
