import type { Metrics } from '../metrics/metrics.ts'
import type { TlsFiles } from './tls-files.ts'

/** Adds when each certificate of this process expires. */
export function addCertificateMetrics(
  metrics: Metrics,
  files: readonly Pick<TlsFiles, 'expiries' | 'reloadCount' | 'isStale'>[],
): void {
  metrics.gauge(
    {
      name: 'cohort_certificate_expiry_timestamp_seconds',
      help: 'When a certificate expires, in seconds since 1970; missing without TLS.',
      labels: ['certificate'],
    },
    () =>
      files.flatMap(({ expiries }) =>
        expiries.map(({ name, expires }) => ({
          value: expires.getTime() / 1_000,
          labels: { certificate: name },
        })),
      ),
  )
  metrics.counter(
    { name: 'cohort_certificate_reloads_total', help: 'How often changed certificate files were taken.' },
    () => [{ value: files.reduce((sum, { reloadCount }) => sum + reloadCount, 0) }],
  )
  metrics.gauge(
    {
      name: 'cohort_certificate_files_unusable',
      help: '1 while certificate files have changed and cannot be used, so that older ones stay in use.',
    },
    () => [{ value: files.some(({ isStale }) => isStale) ? 1 : 0 }],
  )
}
