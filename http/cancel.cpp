#include "http/cancel.hpp"

namespace troupe::http {

void cancel_listener::join(cancel_source& source) {
  leave();
  if (source.cancelled_) {
    on_cancel_(argument_);
    return;
  }
  source_ = &source;
  previous_ = nullptr;
  next_ = source.first_;
  if (next_ != nullptr)
    next_->previous_ = this;
  source.first_ = this;
}

void cancel_listener::leave() {
  if (source_ == nullptr)
    return;
  if (previous_ != nullptr)
    previous_->next_ = next_;
  else
    source_->first_ = next_;
  if (next_ != nullptr)
    next_->previous_ = previous_;
  source_ = nullptr;
}

cancel_source::~cancel_source() {
  while (first_ != nullptr)
    first_->leave();
}

void cancel_source::cancel() {
  cancelled_ = true;
  while (first_ != nullptr) {
    auto* listener = first_;
    listener->leave();
    listener->on_cancel_(listener->argument_);
  }
}

} // namespace troupe::http
