//! Samples of one rendering, and their text.

use crate::control::catalogue::{CATALOGUE, MetricFamily, MetricKind};
use crate::shared::answer_times::AnswerTimesSum;
use prometheus::TextEncoder;
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricType};
use std::collections::HashMap;

/// Samples by family. The registry of the `prometheus` crate suits long-lived counters: for a
/// single page it would hash the labels of every sample, and copy them twice.
#[derive(Default)]
pub(super) struct Page {
    families: HashMap<&'static str, Vec<Metric>>,
    /// Samples of the page, each time of a histogram's bucket counted.
    len: usize,
}

impl Page {
    fn add(&mut self, family: &MetricFamily, labels: &[&str], value: f64) {
        let mut metric = labelled(family, labels);
        match family.kind {
            MetricKind::Histogram => debug_assert!(false, "{} has no single value", family.name),
            MetricKind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            MetricKind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        self.push(family, metric, 1);
    }

    fn push(&mut self, family: &MetricFamily, metric: Metric, series: usize) {
        self.families.entry(family.name).or_default().push(metric);
        self.len += series;
    }

    /// Series of the page so far, those that merge counted each.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a histogram.
    pub(super) fn times(&mut self, family: &MetricFamily, labels: &[&str], times: &AnswerTimesSum) {
        let mut metric = labelled(family, labels);
        let buckets: Vec<Bucket> = (times.cumulative())
            .map(|(bound, count)| {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(bound);
                bucket.set_cumulative_count(count);
                bucket
            })
            .collect();
        // The bucket without a bound, the sum and the count.
        let series = buckets.len() + 3;
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets);
        histogram.set_sample_sum(times.sum_seconds());
        histogram.set_sample_count(times.count());
        metric.set_histogram(histogram);
        self.push(family, metric, series);
    }

    /// Adds a counter.
    pub(super) fn count(&mut self, family: &MetricFamily, labels: &[&str], count: u64) {
        self.add(family, labels, count as f64);
    }

    /// Adds a gauge.
    pub(super) fn set(&mut self, family: &MetricFamily, labels: &[&str], value: f64) {
        self.add(family, labels, value);
    }

    /// Text of the page, with families and samples sorted. Samples with equal labels are merged:
    /// counters are added, and the last gauge counts.
    pub(super) fn text(mut self) -> prometheus::Result<String> {
        let mut families: Vec<_> = CATALOGUE.iter().collect();
        families.sort_unstable_by_key(|family| family.name);
        let families = families.into_iter().filter_map(|family| {
            let mut metrics = self.families.remove(family.name)?;
            metrics.sort_by(|one, other| values(one).cmp(values(other)));
            metrics.dedup_by(|next, first| {
                let is_same = values(next).eq(values(first));
                if is_same {
                    merge(first, next, family.kind);
                }
                is_same
            });
            let mut written = prometheus::proto::MetricFamily::default();
            written.set_name(family.name.to_owned());
            written.set_help(family.help.to_owned());
            written.set_field_type(match family.kind {
                MetricKind::Counter => MetricType::COUNTER,
                MetricKind::Gauge => MetricType::GAUGE,
                MetricKind::Histogram => MetricType::HISTOGRAM,
            });
            written.set_metric(metrics);
            Some(written)
        });
        TextEncoder::new().encode_to_string(&families.collect::<Vec<_>>())
    }
}

/// Metric without a value.
fn labelled(family: &MetricFamily, labels: &[&str]) -> Metric {
    debug_assert_eq!(labels.len(), family.labels.len(), "{}", family.name);
    let mut pairs: Vec<LabelPair> = family.labels.iter().zip(labels).map(pair).collect();
    pairs.sort_unstable_by(|one, other| one.name().cmp(other.name()));
    Metric::from_label(pairs)
}

fn pair((name, value): (&&str, &&str)) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name((*name).to_owned());
    pair.set_value((*value).to_owned());
    pair
}

fn values(metric: &Metric) -> impl Iterator<Item = &str> {
    metric.get_label().iter().map(LabelPair::value)
}

fn merge(first: &mut Metric, next: &Metric, kind: MetricKind) {
    match kind {
        MetricKind::Counter => {
            let mut counter = Counter::default();
            counter.set_value(first.get_counter().get_value() + next.get_counter().get_value());
            first.set_counter(counter);
        }
        MetricKind::Gauge => first.set_gauge(next.get_gauge().clone()),
        // Each transport has one.
        MetricKind::Histogram => {}
    }
}
