/** Callers who show a client certificate: a role for each subject. */

// @peculiar/x509 needs it, and it must be the first import.
import 'reflect-metadata'

import assert from 'node:assert/strict'
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { before, test } from 'node:test'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import * as x509 from '@peculiar/x509'
import { parseClientRoles } from '../../src/access/certificate-check.ts'
import { CredentialCheck } from '../../src/access/credential-check.ts'
import { KeyCheck } from '../../src/access/key-check.ts'
import { hashToken, newToken } from '../../src/access/key-token.ts'
import { formatSubject } from '../../src/http/auth/client-subject.ts'
import { strangeCa, type TestCertificates, testCertificates } from '../../src/testing/certificates.ts'
import { type Door, listen, PLACES } from './raw-http.ts'
import { testApp } from './test-app.ts'

let certificates: TestCertificates
before(async () => {
  certificates = await testCertificates()
})

const CLIENT = { usages: ['client'] as const, hosts: ['client'] }
const ADMIN = newToken(randomBytes)

type Pair = Readonly<{ cert?: Buffer | string; key?: Buffer | string }>

/** The status and the body of an answer. */
async function get(door: Door, path: string, { cert, key }: Pair, options: object = {}) {
  const request = httpsRequest({
    ...door,
    path,
    agent: false,
    ca: certificates.ca.cert,
    cert,
    key,
    ...options,
  })
  request.end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of answer.setEncoding('utf8')) body += chunk
  return { status: answer.statusCode, body: JSON.parse(body), headers: answer.headers }
}

test('a valid certificate has the role of its subject; one that is not valid is as none; a key wins', async (t) => {
  let rules = parseClientRoles('# who\nCN=a leaf -> writer:team-a/\n', 'f')
  const current = await certificates.leaf({ usages: ['server'], hosts: ['localhost', '127.0.0.1'] })
  const { app } = testApp({
    certificates: { current, onChange: () => {} },
    authenticator: new CredentialCheck({
      keys: new KeyCheck({
        cache: undefined,
        adminHashes: () => [hashToken(ADMIN)],
        wallClockMs: Date.now,
        onUse: () => {},
      }),
      clientRoles: () => rules,
    }),
  })
  const door = await listen(app, t, PLACES[0])
  const client = await certificates.leaf(CLIENT)
  const caller = await get(door, '/v1/caller', client)
  assert.deepEqual(caller.body, {
    kind: 'certificate',
    id: 'CN=a leaf',
    name: 'CN=a leaf',
    role: 'writer',
    prefix: 'team-a/',
  })
  assert.equal((await get(door, '/v1/group/team-a%2Fone', client)).status, 404)
  const outside = await get(door, '/v1/group/team-b%2Fone', client)
  assert.match(outside.body.detail, /the caller CN=a leaf has the role writer for the prefix "team-a\/"\.$/)

  const strange = await certificates.leaf({ ...CLIENT, ca: await strangeCa() })
  const over = await certificates.leaf({ ...CLIENT, now: new Date(Date.now() - 800 * 86_400_000) })
  const server = await certificates.leaf({ usages: ['server'], hosts: ['client'] })
  for (const other of [{}, strange, over, server]) {
    const refused = await get(door, '/v1/caller', other)
    assert.equal(refused.status, 401)
    assert.match(refused.body.detail, /, or a client certificate\.$/)
    assert.match(String(refused.headers['www-authenticate']), /or a client certificate"$/)
  }

  const headers = { authorization: `Bearer ${ADMIN}` }
  assert.equal((await get(door, '/v1/caller', client, { headers })).body.kind, 'admin-key')
  const wrong = { authorization: `Bearer ${newToken(randomBytes)}` }
  assert.equal((await get(door, '/v1/caller', client, { headers: wrong })).status, 401)

  // The rules count for the next request, also on a connection that is open.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  assert.equal((await get(door, '/v1/caller', client, { agent })).body.role, 'writer')
  rules = parseClientRoles('CN=another -> admin', 'f')
  const unnamed = await get(door, '/v1/caller', client, { agent })
  assert.equal(unnamed.status, 403)
  assert.match(unnamed.body.detail, /the caller CN=a leaf has no role\.$/)
  agent.destroy()
})

test('who comes back with an earlier session is nobody without its certificate, in TLS 1.2 and 1.3', async (t) => {
  const current = await certificates.leaf({ usages: ['server'], hosts: ['localhost', '127.0.0.1'] })
  const { app } = testApp({
    certificates: { current, onChange: () => {} },
    authenticator: new CredentialCheck({
      keys: { check: () => ({ kind: 'refused', reason: 'no' }) },
      clientRoles: () => parseClientRoles('CN=a leaf -> reader\n', 'f'),
    }),
  })
  const door = await listen(app, t, PLACES[0])
  const client = await certificates.leaf(CLIENT)
  const ask = async (options: ConnectionOptions) => {
    const connection = connectTls({ ...door, ca: certificates.ca.cert, ...options })
    let session: Buffer | undefined
    connection.on('session', (given) => {
      session = given
    })
    let isReused: boolean | undefined
    connection.once('secureConnect', () => {
      isReused = connection.isSessionReused()
    })
    connection.write('GET /v1/caller HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
    let text = ''
    for await (const chunk of connection.setEncoding('utf8')) text += chunk
    return { status: text.split(' ')[1], session, isReused }
  }
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { cert, key } = client
    const { status, session } = await ask({ maxVersion, cert, key })
    assert.equal(status, '200', maxVersion)
    const again = await ask({ maxVersion, ...(session === undefined ? {} : { session }) })
    assert.deepEqual([again.status, again.isReused], ['401', false], maxVersion)
  }
})

test('a subject is written as in RFC 4514: the last part first, and commas in a part stay escaped', () => {
  assert.equal(formatSubject('C=DE\nO=Example\\, Inc\nCN=ci'), 'CN=ci,O=Example\\, Inc,C=DE')
  assert.equal(formatSubject(undefined), '')
})

/** A certificate of the CA of the cluster with this subject. */
async function withSubject(name: x509.JsonName): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const ca = await webcrypto.subtle.importKey(
    'pkcs8',
    createPrivateKey(certificates.ca.key).export({ type: 'pkcs8', format: 'der' }),
    algorithm,
    false,
    ['sign'],
  )
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: new x509.X509Certificate(certificates.ca.cert).subject,
    publicKey: keys.publicKey,
    signingKey: ca,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    cert: certificate.toString('pem'),
    key: createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({
      type: 'pkcs8',
      format: 'pem',
    }) as string,
  }
}

test('no other subject has the text of a rule: values with separators, line ends, spaces and NUL are escaped', async (t) => {
  const rules = parseClientRoles('CN=ci,O=Example -> admin\nCN=ci -> admin', 'f')
  const current = await certificates.leaf({ usages: ['server'], hosts: ['localhost', '127.0.0.1'] })
  const keys = { check: () => assert.fail('no key was sent') }
  const { app } = testApp({
    certificates: { current, onChange: () => {} },
    authenticator: new CredentialCheck({ keys, clientRoles: () => rules }),
  })
  const door = await listen(app, t, PLACES[0])
  const ask = async (name: x509.JsonName) => await get(door, '/v1/caller', await withSubject(name))
  for (const name of [[{ CN: ['ci'] }], [{ O: ['Example'] }, { CN: ['ci'] }]]) {
    assert.equal((await ask(name)).body.role, 'admin')
  }
  const seen = new Set<string>()
  for (const name of [
    [{ CN: ['ci,O=Example'] }],
    [{ CN: ['ci\nO=Example'] }],
    [{ O: ['Example\nCN=ci'] }],
    [{ CN: ['ci\\\\'] }],
    [{ CN: ['ci+O=Example'] }],
    [{ CN: ['ci'], O: ['Example'] }],
    [{ O: ['Example'], CN: ['ci'] }],
    [{ CN: ['ci'] }, { O: ['Example'] }],
    [{ CN: ['ci'] }, { CN: ['ci'] }],
    [{ CN: [' ci'] }],
    [{ CN: ['ci '] }],
    [{ CN: ['CI'] }],
    [{ CN: ['ci\u0000'] }],
    [{ CN: ['ci\u0000.evil.example'] }],
    [{ CN: ['c\u0456'] }],
    [{ CN: ['\u202eic'] }],
    [{ CN: ['\\"ci'] }],
    [{ CN: ['ci#'] }],
    [{ CN: ['CN=ci'] }],
    [{ OU: ['CN=ci'] }],
    [{ OU: ['ci'] }],
    [{ CN: ['ci'] }, { O: ['Example'] }, { C: ['DE'] }],
    [{ CN: ['x'.repeat(300)] }],
  ] as x509.JsonName[]) {
    const { status, body } = await ask(name)
    assert.ok([401, 403].includes(status!), `${JSON.stringify(name)}: ${status} ${JSON.stringify(body)}`)
    if (status === 403) seen.add(body.detail)
  }
  // Each is another caller too, for rates and for the audit log.
  assert.equal(seen.size, 22)
})

test('a file of roles that cannot be used is refused with the reason', () => {
  for (const text of ['', 'CN=ci', 'CN=ci -> root']) {
    assert.throws(() => parseClientRoles(text, '/f'), /^AccessFileError: \/f cannot be used: /)
  }
})
