#pragma once

#include "actors/inventory/effects.hpp"
#include "actors/inventory/ledger.hpp"
#include "protocol/config/change.hpp"
#include "protocol/config/load.hpp"
#include "storage/core/settings_item.hpp"
#include "storage/vault.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// The database layer of the configuration, its versions, and the settings that follow from all
/// layers. Owned by one thread; a change blocks until it is on the disk.
class settings_table {
public:
  /// Says no to settings that other tables cannot live with; asked before a change is stored.
  using veto = std::function<std::optional<refused>(const settings&)>;

  settings_table(ledger& book, const storage::vault& vault, config_sources sources)
      : book_(book), vault_(vault), sources_(std::move(sources)) {}

  /// Reads the document and loads all layers. What the document says wrongly (an option that a
  /// later version had) is left out and told in `warnings`. Fails if file or environment do not
  /// load, and if the document does not open.
  result<void> load(std::vector<std::string>& warnings);

  const std::shared_ptr<const loaded_settings>& loaded() const { return loaded_; }
  std::uint64_t revision() const { return header_.revision; }

  settings_view view() const;
  answer<settings_changed> change(const change_settings& wanted, const veto& other, effects& out);
  answer<settings_changed> restore(const restore_settings& wanted, const veto& other, effects& out);
  answer<settings_history> history(const get_settings_history& query) const;
  answer<settings_diff> diff(const diff_settings& query) const;

  /// Sets the whole document, as `restore` does with an earlier one. True: it was different.
  answer<bool> replace_with(const asker& by, const std::string& document, const veto& other,
                            effects& out);
  answer<std::uint64_t> reseal(std::size_t most);

  /// Versions that are kept.
  static constexpr std::uint64_t versions_max = 1'000;

private:
  struct change_words {
    const asker& by;
    std::string what;
    std::string_view action;
    bool dry_run = false;
  };

  answer<settings_changed> take(config::settings_change planned, const change_words& words,
                                const veto& other, effects& out);
  answer<std::string> document_of(std::uint64_t revision) const;
  std::optional<refused> refuse_revision(const expected_revision& expected) const;
  std::string row_value(std::string_view row, const storage::item_header& header,
                        const storage::settings_item& item) const;
  result<std::string> opened(std::uint64_t revision, const std::string& sealed) const;

  ledger& book_;
  const storage::vault& vault_;
  config_sources sources_; ///< without the database layer
  storage::item_header header_;
  std::string document_; ///< empty: none
  std::shared_ptr<const loaded_settings> loaded_;
  std::shared_ptr<const loaded_settings> started_; ///< what options that need a restart run with
};

} // namespace troupe
