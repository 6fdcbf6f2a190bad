import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { TEST_CLUSTER, type TestCertificates, testCertificates } from '../testing/certificates.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { TlsPaths } from './material.ts'
import { openNodeTls } from './node-files.ts'

let certificates: TestCertificates
before(async () => {
  certificates = await testCertificates()
})

const DAY_MS = 86_400_000

type Line = Readonly<{ level: string; text: string }>

/** The files of the node n1, copied to a folder of their own, and what was logged about them. */
function watched(t: TestContext, nowMs = Date.now()) {
  const folder = mkdtempSync(join(tmpdir(), 'cohort-tls-files-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const paths = { certFile: join(folder, 'crt'), keyFile: join(folder, 'key'), caFile: join(folder, 'ca') }
  const put = (from: TlsPaths, names: readonly (keyof TlsPaths)[] = ['keyFile', 'certFile', 'caFile']) => {
    for (const name of names) {
      copyFileSync(from[name]!, `${paths[name as 'certFile']}.new`)
      renameSync(`${paths[name as 'certFile']}.new`, paths[name as 'certFile'])
    }
  }
  put(certificates.paths('node', 'n1'))
  const lines: Line[] = []
  const log = (level: string) => (first: unknown, second?: string) =>
    void lines.push({ level, text: second ?? String(first) })
  const clock = new ManualClock()
  const logger = { info: log('info'), warn: log('warn'), error: log('error') }
  const now = () => new Date(nowMs + clock.nowMs())
  const files = openNodeTls(paths, 'node', { clock, now, logger })
  t.after(() => files.close())
  const serial = () => files.current.certificate.serialNumber
  return { files, paths, put, lines, clock, serial }
}

const identity = { cluster: TEST_CLUSTER, kind: 'node', name: 'n1' } as const

test('new files are taken within a second, and reported once', async (t) => {
  const { files, put, lines, clock, serial } = watched(t)
  const before = serial()
  let changes = 0
  files.onChange(() => (changes += 1))
  clock.advance(5_000)
  assert.deepEqual([serial(), lines], [before, []])
  put(await certificates.leafPaths({ identity }))
  clock.advance(1_000)
  assert.notEqual(serial(), before)
  assert.deepEqual(lines, [
    { level: 'info', text: 'the changed certificate files are in use for new connections' },
  ])
  clock.advance(10_000)
  assert.deepEqual([changes, lines.length, files.reloadCount, files.isStale], [1, 1, 1, false])
})

test('a key without its certificate is not taken; when the certificate comes, both are, without a word of it', async (t) => {
  const { put, lines, clock, serial } = watched(t)
  const before = serial()
  const next = await certificates.leafPaths({ identity })
  put(next, ['keyFile'])
  clock.advance(1_000)
  assert.deepEqual([serial(), lines], [before, []])
  put(next, ['certFile'])
  clock.advance(1_000)
  assert.notEqual(serial(), before)
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['info'],
  )
})

test('files that stay bad are reported once, and the last good ones stay in use', async (t) => {
  const { files, paths, put, lines, clock, serial } = watched(t)
  const before = serial()
  writeFileSync(paths.certFile, 'half a certif')
  clock.advance(10_000)
  assert.equal(serial(), before)
  assert.deepEqual(lines, [
    {
      level: 'error',
      text: `${paths.certFile} holds no certificate in PEM: the files are not used, and those before them stay in use`,
    },
  ])
  assert.equal(files.isStale, true)
  rmSync(paths.keyFile)
  clock.advance(10_000)
  assert.match(lines.at(-1)!.text, /key cannot be read \(ENOENT\)/)
  mkdirSync(paths.keyFile)
  clock.advance(10_000)
  assert.match(lines.at(-1)!.text, /key cannot be read \(EISDIR\)/)
  rmdirSync(paths.keyFile)
  put(await certificates.leafPaths({ identity }))
  clock.advance(1_000)
  assert.notEqual(serial(), before)
  assert.deepEqual(
    [lines.map(({ level }) => level), files.isStale],
    [['error', 'error', 'error', 'info'], false],
  )
})

test('a certificate of another cluster, of another kind, or one that has expired does not replace a good one', async (t) => {
  const { put, lines, clock, serial } = watched(t)
  const before = serial()
  const years = new Date(Date.now() - 800 * DAY_MS)
  for (const [subject, problem] of [
    [
      { identity: { ...identity, cluster: 'another' } },
      /is of the cluster another, and this process belongs to test-cluster:/,
    ],
    [
      { identity: { ...identity, kind: 'connector' as const } },
      /is the certificate of a connector, and a node needs one of a node:/,
    ],
    [
      { identity: undefined },
      /is the certificate of no process of a cluster, and a node needs one of a node:/,
    ],
    [{ identity, now: years }, /holds a certificate that has expired:/],
  ] as const) {
    put(await certificates.leafPaths(subject))
    clock.advance(3_000)
    assert.match(lines.at(-1)!.text, problem)
  }
  assert.deepEqual([serial(), lines.length], [before, 4])
})

test('files that cannot even be looked at do not end the process', async (t) => {
  const { files, paths, lines, clock, serial } = watched(t)
  const before = serial()
  const folder = dirname(paths.certFile)
  renameSync(folder, `${folder}.moved`)
  writeFileSync(folder, 'a file where the folder was')
  clock.advance(5_000)
  assert.match(lines.at(-1)!.text, /crt cannot be read \(ENOTDIR\)/)
  assert.deepEqual([serial(), files.isStale], [before, true])
  rmSync(folder)
  renameSync(`${folder}.moved`, folder)
  clock.advance(5_000)
  assert.deepEqual([serial(), files.isStale, lines.length], [before, false, 1])
})

test('files that cannot be used at the start are a fault that names them and says what to do', () => {
  const good = certificates.paths('node', 'n1')
  const options = {
    clock: new ManualClock(),
    now: () => new Date(),
    logger: { info: () => {}, warn: () => {}, error: () => {} },
  }
  const other = certificates.paths('node', 'n2')
  for (const [paths, problem] of [
    [{ ...good, keyFile: '/nowhere' }, /^\/nowhere cannot be read \(ENOENT\): name files that fit/],
    [{ ...good, keyFile: other.keyFile }, /n1\/tls\.crt and .*n2\/tls\.key cannot be used together: /],
    [{ ...good, caFile: good.keyFile }, /n1\/tls\.key holds no certificate in PEM: /],
    [
      certificates.paths('connector', 'c1'),
      /c1\/tls\.crt is the certificate of a connector, and a node needs/,
    ],
  ] as const) {
    assert.throws(() => openNodeTls(paths, 'node', options), {
      code: 'certificates_unusable',
      message: problem,
    })
  }
})

test('from 30 days before its end a certificate is reported once a day, and then as an error', (t) => {
  const end = certificates.material('node', 'n1').certificate.validToDate.getTime()
  const { lines, clock, files } = watched(t, end - 31.5 * DAY_MS)
  const pass = (days: number) => {
    for (let hours = 0; hours < days * 24; hours += 6) {
      clock.skip(DAY_MS / 4)
      clock.advance(1_000)
    }
  }
  pass(1)
  assert.equal(lines.length, 0)
  pass(2)
  assert.ok(lines.length >= 2 && lines.length <= 3, `${lines.length} lines in two days`)
  const day = new Date(end).toISOString().slice(0, 10)
  assert.match(
    lines[0]!.text,
    new RegExp(`^the certificate .* CN=n1 expires in (30|29) days, on ${day}: run "cohort certs renew"$`),
  )
  assert.equal(lines[0]!.level, 'warn')
  pass(30)
  assert.equal(lines.at(-1)!.level, 'error')
  assert.match(
    lines.at(-1)!.text,
    /CN=n1 expired on .*, and is refused by everybody: run "cohort certs renew"$/,
  )
  assert.deepEqual(
    files.expiries.map(({ name }) => name),
    ['node', 'node_ca'],
  )
})

test('a private key that other users can read is used, and warned about at the start and when it changes', async (t) => {
  const { files, paths, put, lines, clock, serial } = watched(t)
  const before = serial()
  const next = await certificates.leafPaths({ identity })
  chmodSync(next.keyFile, 0o644)
  put(next)
  clock.advance(5_000)
  assert.notEqual(serial(), before)
  const warning = `other users can read the private key in ${paths.keyFile}: protect it with "chmod 600 ${paths.keyFile}"`
  assert.deepEqual(
    lines.map(({ level, text }) => [level, text === warning]),
    [
      ['info', false],
      ['warn', true],
    ],
  )
  files.close()
  lines.length = 0
  const warn = (_: object, text: string) => void lines.push({ level: 'warn', text })
  const logger = { info: () => {}, warn, error: () => {} } as never
  openNodeTls(paths, 'node', { clock, now: () => new Date(), logger }).close()
  assert.deepEqual(lines, [{ level: 'warn', text: warning }])
})

test('files may be links, as those of a secret in Kubernetes; a link that leads elsewhere is a change', async (t) => {
  const { files, paths, lines, clock, serial } = watched(t)
  const folder = dirname(paths.keyFile)
  const next = await certificates.leafPaths({ identity })
  // The names lead through a folder that is itself a link, and is replaced as one.
  for (const [name, from] of [
    ['one', { keyFile: paths.keyFile, certFile: paths.certFile, caFile: paths.caFile }],
    ['two', next],
  ] as const) {
    mkdirSync(join(folder, name))
    copyFileSync(from.certFile, join(folder, name, 'crt'))
    copyFileSync(from.keyFile, join(folder, name, 'key'))
    copyFileSync(from.caFile, join(folder, name, 'ca'))
  }
  symlinkSync('one', join(folder, 'data'))
  const linked = {
    certFile: join(folder, 'l.crt'),
    keyFile: join(folder, 'l.key'),
    caFile: join(folder, 'l.ca'),
  }
  for (const [name, path] of [
    ['crt', linked.certFile],
    ['key', linked.keyFile],
    ['ca', linked.caFile],
  ] as const) {
    symlinkSync(join('data', name), path)
  }
  const noted: string[] = []
  const log = (_: object, text: string) => void noted.push(text)
  const logger = { info: log, warn: log, error: log } as never
  const watching = openNodeTls(linked, 'node', { clock, now: () => new Date(), logger })
  t.after(() => watching.close())
  const before = watching.current.certificate.serialNumber
  assert.equal(before, serial())
  symlinkSync('two', join(folder, 'data.new'))
  renameSync(join(folder, 'data.new'), join(folder, 'data'))
  clock.advance(1_000)
  assert.notEqual(watching.current.certificate.serialNumber, before)
  assert.deepEqual(noted, ['the changed certificate files are in use for new connections'])
  assert.deepEqual([files.isStale, lines], [false, []])
})
