#include "storage/key_states.hpp"

#include "protocol/base/key_id.hpp"
#include "storage/core/quota_item.hpp"

namespace troupe::storage {

result<key_states> load_key_states(const store& from) {
  key_states all;
  auto read =
      from.for_each(column::key_state, "", [&](std::string_view row, std::string_view value) {
        if (row.size() != sizeof(std::uint64_t) && row.starts_with(quota_prefix)) {
          if (auto quota = decode_quota_record(value))
            all.quotas.emplace(row, *std::move(quota));
          else
            all.unreadable.push_back("what a quota has used: " + quota.error().text);
          return true;
        }
        const auto key = key_of_row(row);
        auto record = decode_key_state(value);
        if (key == 0)
          all.unreadable.push_back("a key's state lies under a row of " + std::to_string(row.size())
                                   + " bytes");
        else if (!record)
          all.unreadable.push_back(to_string(key_id{key}) + ": " + record.error().text);
        else
          all.of.emplace(key, *std::move(record));
        return true;
      });
  if (!read)
    return read.error();
  return all;
}

} // namespace troupe::storage
