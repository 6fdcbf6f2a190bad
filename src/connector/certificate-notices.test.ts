import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CertificateNotices } from './certificate-notices.ts'

const NOW = new Date('2026-11-30T12:00:00Z')
const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000)

test('certificates that expire within 30 days are noticed: those of the connector, and of the nodes that count', () => {
  const files = {
    expiries: [
      { name: 'node', subject: 'CN=c1', expires: inDays(31) },
      { name: 'api', subject: 'CN=api', expires: inDays(3.5) },
    ],
  }
  const notices = new CertificateNotices([files], () => NOW)
  notices.note('a:1', { subject: 'CN=a', validToDate: inDays(-1) })
  notices.note('b:1', { subject: 'CN=b', validToDate: inDays(400) })
  notices.note('gone:1', { subject: 'CN=gone', validToDate: inDays(1) })
  assert.deepEqual(notices.of(['a:1', 'b:1', 'unseen:1']), [
    'the certificate of the API CN=api expires in 3 days, on 2026-12-04: run "cohort certs renew"',
    'the certificate for the connections between connectors and nodes CN=a of the node a:1 expired on 2026-11-29, ' +
      'and is refused by everybody: run "cohort certs renew"',
  ])
  notices.note('a:1', { subject: 'CN=a', validToDate: inDays(365) })
  assert.equal(notices.of(['a:1', 'b:1']).length, 1, 'a renewed certificate is noticed no longer')
})

test('the certificates of a bounded number of nodes are remembered', () => {
  const notices = new CertificateNotices([], () => NOW)
  for (let port = 0; port < 1_000; port += 1)
    notices.note(`h:${port}`, { subject: '', validToDate: inDays(1) })
  const addresses = Array.from({ length: 1_000 }, (_, port) => `h:${port}`)
  assert.equal(notices.of(addresses).length, 64)
  assert.equal(notices.of(['h:999']).length, 1)
})
