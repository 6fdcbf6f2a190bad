/** Where commands find the API, and what they show of themselves. */
import assert from 'node:assert/strict'
import { chmod } from 'node:fs/promises'
import { test } from 'node:test'
import { certificateOf } from '../../src/http/https.ts'
import { testCertificates } from '../../src/testing/certificates.ts'
import { readMaterial } from '../../src/tls/material.ts'
import { CUT, deadUrl, fakeServer, UNAVAILABLE } from '../client/fake-server.ts'
import { listen } from './raw-http.ts'
import { cohort } from './run-command.ts'
import { testApp } from './test-app.ts'

test('with several --url, a command asks the next connector when one fails', async (t) => {
  const { host, port } = await listen(testApp().app, t)
  const good = `http://${host}:${port}`
  const dead = await deadUrl()
  const urls = (...all: string[]) => all.flatMap((url) => ['--url', url])
  for (const [args, expected] of [
    [['create', 'g'], /^group/],
    [['get', 'g'], /^group/],
    [['update', 'g', '--description', 'd'], /^group/],
    [['member', 'add', 'g', 'm'], /^member/],
    [['members', 'g', '--ids'], /^m$/m],
    [['list', '--ids'], /^g$/m],
    [['status'], /\w/],
    [['key', 'list'], /^/],
    [['delete', 'g'], /^group/],
  ] as const) {
    const busy = await fakeServer(t, UNAVAILABLE)
    const { stdout, stderr, exitCode } = await cohort([...args, ...urls(dead, busy.url, good)])
    assert.match(stdout, expected, `${args.join(' ')}: ${stderr}`)
    assert.ok([0, 4].includes(exitCode), stderr)
    assert.equal(busy.seen.length, 1, args.join(' '))
  }
})

test('a change that may have been made is not sent to another connector, and the message names its own', async (t) => {
  const cut = await fakeServer(t, CUT)
  const other = await fakeServer(t, UNAVAILABLE)
  const args = ['update', 'g', '--description', 'd', '--url', cut.url, '--url', other.url]
  const { exitCode, stderr } = await cohort(args)
  assert.equal(exitCode, 3)
  assert.match(stderr, new RegExp(`^the connection broke before the answer \\(${cut.url}\\): `))
  assert.equal(other.seen.length, 0)
})

test('if no connector answers, the message names them all; and each must be named once', async () => {
  const [one, two] = [await deadUrl(), await deadUrl()]
  const { exitCode, stderr } = await cohort(['get', 'g', '--url', one, '--url', two])
  assert.equal(exitCode, 1)
  assert.ok(
    stderr.startsWith(`no connector answers at ${one}, ${two} (connection refused): start a cluster`),
    stderr,
  )
  const twice = await cohort(['get', 'g', '--url', one, '--url', one])
  assert.deepEqual(
    [twice.exitCode, twice.stderr],
    [2, `--url must name each connector once, got ${one}, ${one}`],
  )
})

test('commands show a client certificate, from options or from the environment', async (t) => {
  const certificates = await testCertificates()
  const current = readMaterial(await certificates.leafPaths({ hosts: ['127.0.0.1'], usages: ['server'] }))
  const { app } = testApp({ certificates: { current, onChange: () => {} } })
  const subjects: (string | undefined)[] = []
  app.addHook('onRequest', (request, _reply, done) => {
    subjects.push(certificateOf(request.raw.socket)?.subject)
    done()
  })
  const { host, port } = await listen(app, t)
  const { certFile, keyFile, caFile } = await certificates.leafPaths({ hosts: ['c'], usages: ['client'] })
  const list = ['list', '--url', `https://${host}:${port}`, '--ca-file', caFile]
  const shown = ['--client-cert-file', certFile, '--client-key-file', keyFile]
  const variables = { COHORT_CLIENT_CERT_FILE: certFile, COHORT_CLIENT_KEY_FILE: keyFile }
  for (const run of [cohort(list), cohort([...list, ...shown]), cohort(list, variables)])
    assert.deepEqual(await run, { exitCode: 0, stdout: 'no groups\n', stderr: '' })
  assert.deepEqual(subjects.toSorted(), ['CN=a leaf', 'CN=a leaf', undefined])
  const half = await cohort([...list, ...shown.slice(0, 2)])
  assert.deepEqual(half, {
    exitCode: 2,
    stdout: '',
    stderr: '--client-cert-file needs a private key too: name both --client-cert-file and --client-key-file',
  })
})

test('a private key that others can read is warned about; files that are no certificates are named', async () => {
  const certificates = await testCertificates()
  const { certFile, keyFile } = await certificates.leafPaths({ hosts: ['c'], usages: ['client'] })
  const other = await certificates.leafPaths({ hosts: ['c'], usages: ['client'] })
  const url = await deadUrl()
  const list = (cert: string, key: string, ...more: string[]) =>
    cohort(['list', '--url', url, '--client-cert-file', cert, '--client-key-file', key, ...more])
  assert.match((await list(certFile, keyFile)).stderr, /^no connector answers/)
  await chmod(keyFile, 0o644)
  assert.match(
    (await list(certFile, keyFile)).stderr,
    new RegExp(`^cohort: other users can read the private key in ${keyFile}: protect it with "chmod 600`),
  )
  for (const [cert, key, ca] of [
    [keyFile, keyFile, certFile],
    [certFile, certFile, certFile],
    [certFile, other.keyFile, certFile],
    [certFile, keyFile, import.meta.filename],
  ] as const) {
    const { exitCode, stderr } = await list(cert, key, '--ca-file', ca)
    assert.equal(exitCode, 2, stderr)
    assert.match(
      stderr,
      /--client-cert-file names \S+, --client-key-file names \S+: they cannot be used for TLS \(/,
    )
  }
})
