import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from '../metrics/metrics.ts'
import { addCertificateMetrics } from './certificate-metrics.ts'

const EXPIRES = new Date('2027-01-01T00:00:00.000Z')

test('the end of each certificate is in seconds since 1970, and reloads of all files are added up', async () => {
  const metrics = new Metrics()
  const node = {
    expiries: [
      { name: 'node', subject: 'CN=n1', expires: EXPIRES },
      { name: 'node_ca', subject: 'CN=ca', expires: new Date(EXPIRES.getTime() + 86_400_000) },
    ],
    reloadCount: 2,
    isStale: false,
  }
  const api = { expiries: [], reloadCount: 3, isStale: false }
  addCertificateMetrics(metrics, [node, api])
  const text = await metrics.render()
  assert.match(text, /^cohort_certificate_expiry_timestamp_seconds\{certificate="node"\} 1798761600$/m)
  assert.match(text, /^cohort_certificate_expiry_timestamp_seconds\{certificate="node_ca"\} 1798848000$/m)
  assert.match(text, /^cohort_certificate_reloads_total 5$/m)
  assert.match(text, /^cohort_certificate_files_unusable 0$/m)
  api.isStale = true
  assert.match(await metrics.render(), /^cohort_certificate_files_unusable 1$/m)
})
