import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SettingError } from '../../config/setting-error.ts'
import { identityOf } from '../../tls/identity.ts'
import { certificatesIn, isSignedBy, readMaterial } from '../../tls/material.ts'
import { EXIT } from '../exit-codes.ts'
import { addCa, dropOldCa, type InitOptions, initCertificates, renewLeaves } from './certificates.ts'
import { caFiles, filesOf } from './layout.ts'
import { readPlaces } from './places.ts'

const NOW = new Date('2026-11-30T12:00:00Z')
const DAY_MS = 86_400_000
const NOTHING_NEW = { nodes: [], connectors: [], withinMs: Number.POSITIVE_INFINITY }

const OPTIONS: InitOptions = {
  cluster: 'c1',
  nodes: readPlaces('--hosts', 'node1,10.0.0.2,[fd00::3]'),
  connectors: readPlaces('--connector-hosts', 'api.example.com'),
  existing: 'refuse',
  now: NOW,
}

async function made(t: TestContext, options: Partial<InitOptions> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cohort-certs-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const directory = join(folder, 'certs')
  await initCertificates(directory, { ...OPTIONS, ...options })
  return directory
}

function certificate(file: string): X509Certificate {
  return new X509Certificate(readFileSync(file))
}

function authorities(file: string): X509Certificate[] {
  return certificatesIn(readFileSync(file), file)
}

/** The serial numbers of the certificates of node1 and of the connector. */
function serials(directory: string): string[] {
  return [
    filesOf(directory, 'node', 'node1').cert,
    filesOf(directory, 'connector', 'api.example.com').cert,
    filesOf(directory, 'connector', 'api.example.com').apiCert,
  ].map((file) => certificate(file).serialNumber)
}

test('one command makes a CA and the certificates of a cluster, which only their owner can read', async (t) => {
  const directory = await made(t)
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  for (const file of files) {
    const mode = statSync(join(file.parentPath, file.name)).mode & 0o777
    assert.equal(mode, file.isDirectory() ? 0o700 : 0o600, file.name)
  }
  assert.deepEqual(readdirSync(join(directory, 'nodes')).sort(), ['10.0.0.2', 'fd00__3', 'node1'])
  const ca = authorities(join(directory, 'ca.crt'))
  assert.equal(ca.length, 1)
  assert.equal(ca[0]!.validToDate.getTime() - NOW.getTime(), 3_650 * DAY_MS)
  assert.match(ca[0]!.subject, /^CN=Cohort CA [0-9a-f]{8} of c1$/)
  for (const [kind, name, host] of [
    ['node', 'node1', 'DNS:node1'],
    ['node', '10.0.0.2', 'IP Address:10.0.0.2'],
    ['node', 'fd00__3', 'IP Address:FD00:0:0:0:0:0:0:3'],
    ['connector', 'api.example.com', 'DNS:api.example.com'],
  ] as const) {
    const { cert, key, ca: caFile } = filesOf(directory, kind, name)
    const material = readMaterial({ certFile: cert, keyFile: key, caFile })
    assert.deepEqual(material.identity, { cluster: 'c1', kind, name })
    assert.ok(isSignedBy(material.authorities, material.certificate))
    assert.ok(material.certificate.subjectAltName!.startsWith(host), host)
    assert.equal(material.certificate.validToDate.getTime() - NOW.getTime(), 365 * DAY_MS)
    assert.equal(material.certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  }
  const api = certificate(filesOf(directory, 'connector', 'api.example.com').apiCert)
  assert.equal(identityOf(api), undefined, 'the certificate of the API is of no use between nodes')
  for (const host of ['api.example.com', 'localhost']) assert.equal(api.checkHost(host), host)
  assert.equal(api.checkIP('127.0.0.1'), '127.0.0.1')
})

test('certificates that are there are not overwritten without being told', async (t) => {
  const directory = await made(t)
  const before = serials(directory)
  await assert.rejects(initCertificates(directory, OPTIONS), {
    exitCode: EXIT.usage,
    message: /holds certificates already, which were not changed: renew them with "cohort certs renew"/,
  })
  assert.deepEqual(serials(directory), before)
  const { cluster } = await initCertificates(directory, {
    ...OPTIONS,
    cluster: undefined,
    existing: 'replace',
  })
  // Running processes take no certificate of another cluster.
  assert.equal(cluster, 'c1')
  const renewed = serials(directory)
  assert.equal(renewed.filter((serial) => before.includes(serial)).length, 0)
  const named = await initCertificates(directory, { ...OPTIONS, cluster: 'c2', existing: 'replace' })
  assert.equal(named.cluster, 'c2')
})

test('a cluster that has no name yet, or none that can be read, gets one that nobody else has', async (t) => {
  const directory = await made(t)
  writeFileSync(caFiles(directory).current, 'damaged')
  const names = new Set<string>()
  for (const folder of [directory, join(directory, 'one'), join(directory, 'two')]) {
    const { cluster } = await initCertificates(folder, {
      ...OPTIONS,
      cluster: undefined,
      existing: 'replace',
    })
    assert.match(cluster, /^[0-9a-f]{16}$/)
    names.add(cluster)
  }
  assert.equal(names.size, 3)
})

test('--keep makes what is missing and renews what ends within 30 days, and nothing else', async (t) => {
  const directory = await made(t)
  const before = serials(directory)
  const keep = (at: Date, nodes = OPTIONS.nodes) =>
    initCertificates(directory, { ...OPTIONS, nodes, cluster: undefined, existing: 'keep', now: at })
  assert.deepEqual(await keep(NOW), { cluster: 'c1', issued: [] })
  const more = [...OPTIONS.nodes, ...readPlaces('--hosts', 'node4')]
  assert.deepEqual((await keep(NOW, more)).issued, ['node node4'])
  assert.deepEqual(serials(directory), before)
  const moved = OPTIONS.nodes.map((place, index) =>
    index === 0 ? { ...place, hosts: ['node1', 'fd00::9'] } : place,
  )
  assert.deepEqual((await keep(NOW, moved)).issued, ['node node1'])
  assert.deepEqual((await keep(NOW, moved)).issued, [])
  const { issued } = await keep(new Date(NOW.getTime() + 336 * DAY_MS))
  assert.deepEqual(issued, [
    'node node1',
    'node 10.0.0.2',
    'node fd00__3',
    'node node4',
    'connector api.example.com',
  ])
  assert.equal(serials(directory).filter((serial) => before.includes(serial)).length, 0)
})

test('renewed certificates have new keys, the same hosts, and the same CA', async (t) => {
  const directory = await made(t)
  const files = filesOf(directory, 'node', 'node1')
  const [before, key] = [certificate(files.cert), readFileSync(files.key, 'utf8')]
  const later = new Date(NOW.getTime() + 100 * DAY_MS)
  await renewLeaves(directory, { ...NOTHING_NEW, now: later })
  const renewed = certificate(files.cert)
  assert.equal(renewed.subjectAltName, before.subjectAltName)
  assert.equal(renewed.validToDate.getTime(), later.getTime() + 365 * DAY_MS)
  assert.notEqual(readFileSync(files.key, 'utf8'), key)
  assert.ok(isSignedBy(authorities(files.ca), renewed) && isSignedBy(authorities(files.ca), before))
})

test('no certificate outlives its CA', async (t) => {
  const directory = await made(t)
  const late = new Date(NOW.getTime() + 3_600 * DAY_MS)
  await renewLeaves(directory, { ...NOTHING_NEW, now: late })
  const { cert } = filesOf(directory, 'node', 'node1')
  assert.equal(certificate(cert).validTo, authorities(join(directory, 'ca.crt'))[0]!.validTo)
})

test('a CA is replaced in three steps, and in each of them everybody trusts everybody', async (t) => {
  const directory = await made(t)
  const everybody = [
    filesOf(directory, 'node', 'node1'),
    filesOf(directory, 'node', '10.0.0.2'),
    filesOf(directory, 'connector', 'api.example.com'),
  ]
  /** What each process trusts, and its certificate. Machines get each step at another time. */
  const state = () =>
    everybody.map(({ ca, cert }) => ({ trusts: authorities(ca), certificate: certificate(cert) }))
  const states = [state()]
  const step = async (run: () => Promise<unknown>) => {
    await run()
    states.push(state())
    for (const { trusts } of [...states.at(-2)!, ...states.at(-1)!]) {
      for (const other of [...states.at(-2)!, ...states.at(-1)!])
        assert.ok(isSignedBy(trusts, other.certificate), `after step ${states.length - 1}`)
    }
  }
  await step(() => addCa(directory, NOW))
  await step(() => addCa(directory, NOW))
  assert.deepEqual(
    states[2]!.map(({ trusts }) => trusts.length),
    [2, 2, 2],
    'one new CA, and not two',
  )
  await assert.rejects(dropOldCa(directory), /the new CA has signed nothing yet/)
  await step(() => renewLeaves(directory, { ...NOTHING_NEW, now: NOW }))
  await assert.rejects(addCa(directory, NOW), /the last replacement of the CA has not ended/)
  await step(() => dropOldCa(directory))
  const { trusts } = states.at(-1)![0]!
  assert.equal(trusts.length, 1)
  assert.ok(!isSignedBy(trusts, states[0]![0]!.certificate), 'the old CA counts for nobody')
  assert.deepEqual(readdirSync(join(directory, 'ca')), ['ca.pem'])
  await step(() => addCa(directory, NOW))
})

test('without the key of the CA nothing is renewed, and the message says what to bring', async (t) => {
  const directory = await made(t)
  rmSync(caFiles(directory).current)
  await assert.rejects(renewLeaves(directory, { ...NOTHING_NEW, now: NOW }), {
    exitCode: EXIT.usage,
    message: /ca\/ca\.pem is missing, and only the CA can sign certificates: bring it here/,
  })
})

test('hosts are read with ports or without, and a host with several ports gets a place for each', () => {
  const read = (text: string) => readPlaces('--hosts', text)
  assert.deepEqual(read('node1:8001, http://node2:8001/ [::1]:8001'), [
    { name: 'node1', hosts: ['node1'] },
    { name: 'node2', hosts: ['node2'] },
    { name: '__1', hosts: ['::1'] },
  ])
  assert.deepEqual(read('a:1,a:2,b'), [
    { name: 'a-1', hosts: ['a'] },
    { name: 'a-2', hosts: ['a'] },
    { name: 'b', hosts: ['b'] },
  ])
  for (const [text, problem] of [
    ['', /at least one host/],
    ['a,a', /must name a once, or each time with a port/],
    ['a:1,a:1', /must name each host once/],
    ['../a', /must name hosts, like node1/],
    ['0.0.0.0', /as others reach them, got 0\.0\.0\.0/],
    ['*', /must name hosts/],
  ] as const) {
    assert.throws(
      () => read(text),
      (error) => error instanceof SettingError && problem.test(error.message),
      text,
    )
  }
})

test('a CA that has expired signs nothing: what to do instead is said, and nothing is changed', async (t) => {
  const directory = await made(t)
  const before = serials(directory)
  const now = new Date(NOW.getTime() + 3_651 * DAY_MS)
  const expected = {
    exitCode: EXIT.usage,
    message:
      /^the CA expired on 2036-11-27, and nobody trusts .* begin anew with "cohort certs init --replace"/,
  }
  await assert.rejects(renewLeaves(directory, { ...NOTHING_NEW, now }), expected)
  await assert.rejects(addCa(directory, now), expected)
  await assert.rejects(initCertificates(directory, { ...OPTIONS, existing: 'keep', now }), expected)
  assert.deepEqual(serials(directory), before)
  assert.deepEqual(authorities(join(directory, 'ca.crt')).length, 1)
  const { cluster } = await initCertificates(directory, { ...OPTIONS, existing: 'replace', now })
  assert.equal(cluster, 'c1')
})

test('the CA of a replacement that began in time may sign after the old one has expired', async (t) => {
  const directory = await made(t)
  await addCa(directory, new Date(NOW.getTime() + 3_649 * DAY_MS))
  const now = new Date(NOW.getTime() + 3_651 * DAY_MS)
  assert.equal((await renewLeaves(directory, { ...NOTHING_NEW, now })).issued.length, 4)
})
