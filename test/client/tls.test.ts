/** HTTPS with a CA of one's own, and client certificates, which may change while the client runs. */
import assert from 'node:assert/strict'
import { before, type TestContext, test } from 'node:test'
import { CohortClient, type Tls } from '../../client/src/index.ts'
import { certificateOf } from '../../src/http/https.ts'
import { strangeCa, type TestCertificates, testCertificates } from '../../src/testing/certificates.ts'
import { readMaterial } from '../../src/tls/material.ts'
import { listen } from '../api/raw-http.ts'
import { testApp } from '../api/test-app.ts'

let certificates: TestCertificates
before(async () => {
  certificates = await testCertificates()
})

const SERVER = { hosts: ['127.0.0.1'], usages: ['server'] as const }

/** The app with HTTPS, which also asks for certificates, and the subjects of the clients that it has seen. */
async function secureApp(t: TestContext) {
  const current = readMaterial(await certificates.leafPaths(SERVER))
  const { app } = testApp({ certificates: { current, onChange: () => {} } })
  const subjects: (string | undefined)[] = []
  app.addHook('onRequest', (request, _reply, done) => {
    subjects.push(certificateOf(request.raw.socket)?.subject)
    done()
  })
  const { host, port } = await listen(app, t)
  return { url: `https://${host}:${port}`, subjects }
}

test('a connector whose CA is not known gets no request: nothing was sent', async (t) => {
  const { url, subjects } = await secureApp(t)
  const strange = (await strangeCa()).cert
  for (const tls of [{}, { ca: strange }]) {
    await using client = new CohortClient({ urls: [url], tls, patienceMs: 0 })
    const outcome = await client.groups.create({ groupId: 'g' })
    assert.ok(outcome.outcome === 'not_applied' && outcome.cause.kind === 'unsent')
    assert.equal(outcome.cause.failure, 'tls')
  }
  assert.deepEqual(subjects, [])
})

test('with its CA it is spoken to, by requests and by watches', async (t) => {
  const { url } = await secureApp(t)
  await using client = new CohortClient({ urls: [url], tls: { ca: certificates.ca.cert } })
  assert.equal((await client.groups.create({ groupId: 'g' })).outcome, 'done')
  for await (const event of client.watch({ initial: true })) {
    if (event.type === 'synced') break
    assert.equal(event.type, 'group')
  }
})

test('a client certificate is shown, and a new one after it has changed', async (t) => {
  const { url, subjects } = await secureApp(t)
  const leaf = () => certificates.leaf({ usages: ['client'], hosts: ['client'] })
  const toTls = ({ cert, key }: Awaited<ReturnType<typeof leaf>>): Tls => ({
    ca: certificates.ca.cert,
    cert,
    key,
  })
  let tls: Tls = { ca: certificates.ca.cert }
  const get = async () => {
    await using client = new CohortClient({ urls: [url], tls: () => tls })
    return (await client.groups.get('g')).outcome
  }
  assert.equal(await get(), 'refused')
  tls = toTls(await leaf())
  assert.equal(await get(), 'refused')
  assert.deepEqual(subjects, [undefined, 'CN=a leaf'])

  // Within one client: each new connection has the certificate of its time.
  let asked = 0
  await using client = new CohortClient({
    urls: [url],
    connections: 2,
    tls: () => {
      asked += 1
      return tls
    },
  })
  await Promise.all([client.groups.get('g'), client.groups.get('g')])
  assert.equal(asked, 2)
})
