// One page of metrics, from the first to the last: values, collected at one time, in Prometheus' text format.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

#include "server/base/counters.h"

namespace socketeer::metrics {

// What the page is, for the header Content-Type.
inline constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";

class Page {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;

  // Each begins a metric; what is added is of the one that was begun last. A name ends as its kind asks for: a
  // counter's in _total, a histogram's in its unit, _seconds.
  void Counters(std::string name, std::string help) { Begin(std::move(name), std::move(help), Type::Counter); }
  void Gauges(std::string name, std::string help) { Begin(std::move(name), std::move(help), Type::Gauge); }
  void Histograms(std::string name, std::string help) { Begin(std::move(name), std::move(help), Type::Histogram); }

  void Add(double value, Labels labels = {});
  void Add(const base::Counter& counter, Labels labels = {}) {
    Add(static_cast<double>(counter.value()), std::move(labels));
  }
  void Add(const base::Durations::Reading& reading, Labels labels = {});

  // A metric with one value.
  template <typename Value>
  void Counter(std::string name, std::string help, const Value& value) {
    Counters(std::move(name), std::move(help));
    AddOne(value);
  }
  template <typename Value>
  void Gauge(std::string name, std::string help, const Value& value) {
    Gauges(std::move(name), std::move(help));
    AddOne(value);
  }

  std::string Text() const;

 private:
  using Type = prometheus::MetricType;
  void Begin(std::string name, std::string help, Type type);
  void AddOne(const base::Counter& counter) { Add(counter); }
  template <typename Number>
  void AddOne(const Number& number) {
    Add(static_cast<double>(number));
  }

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace socketeer::metrics
