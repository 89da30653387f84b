#include "storage/resources.hpp"

#include <utility>

namespace troupe::storage {

result<unreadable_resources> load_resources(const store& from, const resource_visitor& take) {
  unreadable_resources bad;
  const auto refuse = [&bad](std::string why) {
    ++bad.rows;
    if (bad.words.size() < unreadable_resources::words_max)
      bad.words.push_back(std::move(why));
  };
  auto read =
      from.for_each(column::resources, "", [&](std::string_view name, std::string_view value) {
        const auto item = decode_resource_item(value);
        if (name.empty() || name.size() > resource_name_bytes_max)
          refuse("a resource lies under a name of " + std::to_string(name.size()) + " bytes");
        else if (!item)
          refuse(item.error().text);
        else if (item->key == 0)
          refuse("a resource's record names no key");
        else
          take(name, *item);
        return true;
      });
  if (!read)
    return read.error();
  return bad;
}

} // namespace troupe::storage
