#include "actors/cli/pages.hpp"

#include "actors/cli/core/answer_tree.hpp"
#include "actors/cli/core/json_text.hpp"
#include "actors/cli/core/query.hpp"

#include <algorithm>
#include <iterator>

namespace troupe::cli {

namespace {
constexpr std::size_t page_max = 1'000;    ///< the API's own bound
constexpr std::size_t pages_max = 100'000; ///< a node that never ends its list is none

config::node* list_in(config::node& page, const std::string& list) {
  const auto found = std::find_if(page.members.begin(), page.members.end(),
                                  [&](const config::member& m) { return m.name == list; });
  return found == page.members.end() ? nullptr : &found->value;
}

void take_items(config::node& page, const std::string& list, std::vector<config::node>& into) {
  if (auto* there = list_in(page, list))
    std::move(there->items.begin(), there->items.end(), std::back_inserter(into));
}

std::optional<told> one_document(session& s, config::node last,
                                 const std::vector<std::string>& bodies,
                                 std::vector<config::node> items, const std::string& list) {
  if (auto* there = list_in(last, list))
    there->items = std::move(items);
  if (bodies.size() == 1)
    return told{bodies.front(), std::move(last)};
  if (auto body = joined_pages(bodies, list))
    return told{std::move(*body), std::move(last)};
  s.fail(refused, "not_a_node", "a page of the list is not what a node says");
  return std::nullopt;
}
} // namespace

void add_page_flags(command& c, page_flags& into) {
  c.number("--limit", into.limit, "N", "How many at most; default 100")
      .flag("--all", into.all, "All of them")
      .text("--after", into.after, "MARK", "Go on where an earlier list ended");
}

std::optional<told> read_pages(session& s, const std::string& path,
                               std::vector<std::pair<std::string, std::string>> query,
                               const std::string& list, const page_flags& wanted) {
  if (wanted.limit == 0 && !wanted.all) {
    s.usage("--limit: must be at least 1");
    return std::nullopt;
  }
  std::vector<std::string> bodies;
  std::vector<config::node> items;
  auto after = wanted.after;
  while (true) {
    const auto room = wanted.all ? page_max : std::min(wanted.limit - items.size(), page_max);
    auto page_query = query;
    page_query.emplace_back("limit", std::to_string(room));
    page_query.emplace_back("after", after);
    auto page = s.get(path + query_text(page_query));
    if (!page)
      return std::nullopt;
    const auto next = text_in(page->tree, "next");
    take_items(page->tree, list, items);
    bodies.push_back(std::move(page->body));
    const bool enough = !wanted.all && items.size() >= wanted.limit;
    if (enough || next.empty() || next == after || bodies.size() == pages_max)
      return one_document(s, std::move(page->tree), bodies, std::move(items), list);
    after = next;
  }
}

} // namespace troupe::cli
