#include "protocol/sse/parser.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::sse {
namespace {

using payloads = std::vector<std::string>;

constexpr std::size_t bound = 1024;

/// Feeds `pieces` one after the other; each from memory of its own that dies right after, so
/// that a parser which keeps a view too long is seen by the sanitizer.
payloads read(parser& p, const std::vector<std::string>& pieces) {
  payloads got;
  for (const auto& piece : pieces) {
    auto own = std::make_unique<std::string>(piece);
    own->shrink_to_fit();
    p.feed(*own);
    std::string_view payload;
    while (p.next(payload))
      got.emplace_back(payload);
  }
  return got;
}

payloads read(const std::vector<std::string>& pieces) {
  parser p{bound};
  return read(p, pieces);
}

TEST(sse_parser, takes_every_kind_of_line_end) {
  EXPECT_EQ(read({"data: a\n\ndata: b\r\n\r\ndata: c\r\r"}), (payloads{"a", "b", "c"}));
}

TEST(sse_parser, strips_one_space_after_the_colon_and_no_more) {
  EXPECT_EQ(read({"data:a\n\ndata:  b\n\ndata: \n\n"}), (payloads{"a", " b", ""}));
}

TEST(sse_parser, joins_data_lines_with_lf) {
  EXPECT_EQ(read({"data: a\ndata\ndata: b\n\n"}), (payloads{"a\n\nb"}));
}

TEST(sse_parser, skips_comments_and_other_fields_also_inside_an_event) {
  EXPECT_EQ(read({": x\n\nevent: e\nid: 1\ndata: a\n: y\nretry: 2\ndatax: no\n\n"}),
            (payloads{"a"}));
}

TEST(sse_parser, delivers_nothing_for_an_event_without_data) {
  EXPECT_EQ(read({"event: e\n\n\n\n: c\n\n"}), payloads{});
}

TEST(sse_parser, delivers_no_event_whose_empty_line_never_came) {
  EXPECT_EQ(read({"data: a\n\ndata: b\n"}), (payloads{"a"}));
}

TEST(sse_parser, skips_a_byte_order_mark_at_the_beginning_only) {
  EXPECT_EQ(read({"\xEF\xBB", "\xBF"
                              "data: a\n\n\xEF\xBB\xBF"
                              "data: b\n\n"}),
            (payloads{"a"}));
}

TEST(sse_parser, copies_nothing_when_an_event_lies_whole_in_one_feed) {
  parser p{bound};
  const std::string bytes = "data: one\r\n\r\ndata: two\r\n\r\n";
  p.feed(bytes);
  std::string_view payload;
  ASSERT_TRUE(p.next(payload));
  EXPECT_EQ(payload.data(), bytes.data() + 6);
  ASSERT_TRUE(p.next(payload));
  EXPECT_EQ(payload.data(), bytes.data() + 19);
  EXPECT_EQ(payload, "two");
}

TEST(sse_parser, reads_the_same_wherever_the_bytes_are_cut) {
  const std::string whole =
      ": c\r\ndata: {\"t\":\"\xC3\xA9\xF0\x9F\x98\x80\"}\r\n\r\nevent: x\rdata:1\r"
      "data: 2\r\rdata: last\n\n";
  const payloads expected{"{\"t\":\"\xC3\xA9\xF0\x9F\x98\x80\"}", "1\n2", "last"};
  for (std::size_t a = 0; a <= whole.size(); ++a)
    for (std::size_t b = a; b <= whole.size(); ++b) {
      ASSERT_EQ(read({whole.substr(0, a), whole.substr(a, b - a), whole.substr(b)}), expected)
          << a << ' ' << b;
    }
  std::vector<std::string> bytes;
  for (const char c : whole)
    bytes.emplace_back(1, c);
  EXPECT_EQ(read(bytes), expected);
}

/// The rule written down a second time, plainly: lines first, then fields.
payloads read_plainly(const std::string& text) {
  payloads got;
  std::vector<std::string> data;
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '\r' && c != '\n') {
      line += c;
      continue;
    }
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n')
      ++i;
    if (line.empty() && !data.empty()) {
      std::string joined = data[0];
      for (std::size_t k = 1; k < data.size(); ++k)
        joined += '\n' + data[k];
      got.push_back(joined);
      data.clear();
    } else if (const auto colon = line.find(':'); line.substr(0, colon) == "data") {
      auto value = colon == std::string::npos ? std::string{} : line.substr(colon + 1);
      if (!value.empty() && value[0] == ' ')
        value.erase(0, 1);
      data.push_back(value);
    }
    line.clear();
  }
  return got;
}

TEST(sse_parser, agrees_with_the_plain_reading_on_random_streams_and_cuts) {
  std::uint64_t seed = 0x5eed;
  const auto draw = [&seed](std::uint64_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 33) % below;
  };
  const std::vector<std::string> words{"data:", "data: ", "data", "\n", "\r", "\r\n",
                                       "\n\n",  "x",      ": ",   " ",  "id", "\xC3\xA9"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto n = draw(20); n > 0; --n)
      text += words[draw(words.size())];
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
      const auto n = 1 + draw(6);
      pieces.push_back(text.substr(at, n));
      at += n;
    }
    ASSERT_EQ(read(pieces), read_plainly(text)) << "round " << round << ": " << text;
  }
}

TEST(sse_parser, takes_an_event_of_exactly_its_bound_however_it_is_cut) {
  const std::string value(bound, 'v');
  EXPECT_EQ(read({"data: " + value + "\n\n"}), (payloads{value}));
  EXPECT_EQ(read({"data: " + value.substr(0, 500), value.substr(500) + "\n\n"}), (payloads{value}));
}

TEST(sse_parser, stops_for_good_at_an_event_over_its_bound) {
  const std::string long_value(bound + 1, 'v');
  for (const auto& pieces : std::vector<std::vector<std::string>>{
           {"data: " + long_value + "\n\n", "data: a\n\n"},
           {"data: " + long_value.substr(0, 700), long_value.substr(700) + "\n\ndata: a\n\n"},
           {"data: " + long_value.substr(0, 600) + "\ndata: " + long_value.substr(0, 600) + "\n\n"},
           {std::string(2 * bound, ':'), "\n\n", "data: a\n\n"}}) {
    parser p{bound};
    EXPECT_EQ(read(p, pieces), payloads{});
    EXPECT_TRUE(p.overflowed());
  }
}

TEST(sse_parser, is_idle_exactly_when_no_event_is_unfinished) {
  parser p{bound};
  EXPECT_TRUE(p.idle());
  read(p, {"data: a\n"});
  EXPECT_FALSE(p.idle());
  read(p, {"\n"});
  EXPECT_TRUE(p.idle());
  read(p, {"da"});
  EXPECT_FALSE(p.idle());
  read(p, {"ta: b\r\n\r"});
  EXPECT_TRUE(p.idle());
  read(p, {"\n: keep-al"});
  EXPECT_TRUE(p.idle());
}

} // namespace
} // namespace troupe::sse
