#include "server/metrics/page.h"

#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

namespace socketeer::metrics {

void Page::Begin(std::string name, std::string help, Type type) {
  families_.push_back({.name = std::move(name), .help = std::move(help), .type = type, .metric = {}});
}

void Page::Add(double value, Labels labels) {
  prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
  metric.label = std::move(labels);
  if (families_.back().type == Type::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void Page::Add(const base::Durations::Reading& reading, Labels labels) {
  prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
  metric.label = std::move(labels);
  metric.histogram.sample_sum = std::chrono::duration<double>(reading.sum).count();
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    metric.histogram.sample_count += reading.counts[i];
    const bool last = i == base::Durations::kBounds.size();
    metric.histogram.bucket.push_back(
        {.cumulative_count = metric.histogram.sample_count,
         .upper_bound = last ? std::numeric_limits<double>::infinity()
                             : std::chrono::duration<double>(base::Durations::kBounds[i]).count()});
  }
}

std::string Page::Text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families_);
  return out.str();
}

}  // namespace socketeer::metrics
