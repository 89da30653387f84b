#pragma once

namespace troupe::http {

class cancel_source;

/// Something that wants to know at once when its work has become pointless. Linked into
/// one `cancel_source` at a time; leaves it when destroyed. Loop's thread.
class cancel_listener {
public:
  using function = void (*)(void*);

  cancel_listener(function on_cancel, void* argument)
      : on_cancel_(on_cancel), argument_(argument) {}
  ~cancel_listener() { leave(); }
  cancel_listener(const cancel_listener&) = delete;
  cancel_listener& operator=(const cancel_listener&) = delete;

  void join(cancel_source& source);
  void leave();

private:
  friend class cancel_source;
  function on_cancel_;
  void* argument_;
  cancel_source* source_ = nullptr;
  cancel_listener* next_ = nullptr;
  cancel_listener* previous_ = nullptr;
};

/// Says once that everything done for one exchange has become pointless, because the
/// client left or its deadline passed. Loop's thread.
class cancel_source {
public:
  cancel_source() = default;
  ~cancel_source();
  cancel_source(const cancel_source&) = delete;
  cancel_source& operator=(const cancel_source&) = delete;

  bool cancelled() const { return cancelled_; }

  /// Calls every listener once, each unlinked before its call. Later joiners are called
  /// as they join.
  void cancel();

private:
  friend class cancel_listener;
  cancel_listener* first_ = nullptr;
  bool cancelled_ = false;
};

} // namespace troupe::http
