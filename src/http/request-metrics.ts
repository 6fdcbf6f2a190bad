import type { Metrics, Sample } from '../metrics/metrics.ts'
import type { RequestCounts, RouteCounts } from './count-requests.ts'

/** Adds the metrics of the public API. Their names begin with `cohort_http_`. */
export function addRequestMetrics(metrics: Metrics, counts: RequestCounts): void {
  metrics.counter(
    {
      name: 'cohort_http_requests_total',
      help: 'Requests answered, by route and status. Route "none": what no route took.',
      labels: ['method', 'route', 'status'],
    },
    () => [...counts.routes, counts.unrouted].flatMap(statusSamples),
  )
  metrics.histogram(
    {
      name: 'cohort_http_request_duration_seconds',
      help: 'From the headers of a request to its answer.',
      labels: ['method', 'route'],
    },
    () =>
      counts.routes
        .filter(({ statuses }) => statuses.size > 0)
        .map(({ method, route, seconds }) => ({ counts: seconds, labels: { method, route } })),
  )
  metrics.gauge({ name: 'cohort_http_requests_in_flight', help: 'Requests not answered yet.' }, () => [
    { value: counts.inFlight },
  ])
}

function statusSamples({ method, route, statuses }: RouteCounts): Sample[] {
  return [...statuses].map(([status, value]) => ({ value, labels: { method, route, status } }))
}
