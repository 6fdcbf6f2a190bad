/** An OIDC issuer that is slow, hangs, sends garbage, goes away or rotates its keys: a scripted server. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { SignJWT } from 'jose'
import { pino } from 'pino'
import { ManualClock } from '../testing/manual-clock.ts'
import { CredentialCheck } from './credential-check.ts'
import { FETCH_TIMEOUT_MS, KEYS_AGE_MS_MAX, UNKNOWN_KEY_AGE_MS } from './issuer-keys.ts'
import { KeyCheck } from './key-check.ts'
import { hashToken, newToken } from './key-token.ts'
import { parseRoleRules } from './role-rules.ts'
import { TokenCheck } from './token-check.ts'

const WHERE = '/.well-known/openid-configuration'
const NOW_MS = Date.parse('2026-06-01T00:00:00.000Z')

type Answer = (response: ServerResponse) => void

/** An issuer with keys, of which a test may replace the answers. */
async function anIssuer(t: TestContext) {
  const keys = new Map<string, KeyObject>()
  const published: object[] = []
  const addKey = (kid: string) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    keys.set(kid, privateKey)
    published.push({ ...publicKey.export({ format: 'jwk' }), kid })
  }
  addKey('first')
  const asked: string[] = []
  const answers: { [path: string]: Answer | undefined } = {}
  const server = createServer(({ url }, response) => {
    asked.push(url!)
    const answer = answers[url!]
    if (answer !== undefined) answer(response)
    else if (url === WHERE) response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }))
    else response.end(JSON.stringify({ keys: published }))
    server.emit('asked')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokenOf = (kid: string, subject = 'alice') =>
    new SignJWT({ roles: ['all'] })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer(issuer)
      .setAudience('cohort')
      .setSubject(subject)
      .setExpirationTime(NOW_MS / 1_000 + 86_400)
      .sign(keys.get(kid)!)
  return { issuer, asked, answers, published, addKey, tokenOf, server }
}

/** A connector that takes tokens of this issuer. */
function aCheck(issuer: string, algorithms: readonly string[] = ['ES256']) {
  const clock = new ManualClock()
  const logged: { level: number; msg: string; reason?: string }[] = []
  const check = new TokenCheck({
    issuer,
    audience: 'cohort',
    algorithms,
    roleClaim: ['roles'],
    rules: parseRoleRules(['all -> reader']),
    clock,
    logger: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    wallClockMs: () => NOW_MS + clock.nowMs(),
  })
  const kindOf = async (token: string) => (await check.check(token)).kind
  return { check, clock, logged, kindOf }
}

/** Everything that is under way on this machine gets a turn. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

test('an issuer that hangs, before a document or in the middle of one, is given up after five seconds', async (t) => {
  const { issuer, answers, tokenOf, server } = await anIssuer(t)
  const token = await tokenOf('first')
  for (const path of [WHERE, '/keys']) {
    for (const hang of [() => {}, (response: ServerResponse) => response.write('{"issuer":')]) {
      const { check, clock, logged } = aCheck(issuer)
      answers[path] = (response) => {
        hang(response)
        server.emit('hangs')
      }
      const hangs = once(server, 'hangs')
      let isDone = false
      const waiting = [check.check(token), check.check(`${token}`)].map((verdict) =>
        Promise.resolve(verdict).finally(() => {
          isDone = true
        }),
      )
      await hangs
      clock.advance(FETCH_TIMEOUT_MS - 1)
      await turns()
      assert.equal(isDone, false)
      clock.advance(1)
      for (const { kind } of await Promise.all(waiting)) assert.equal(kind, 'unavailable')
      assert.deepEqual(
        logged.map(({ level, reason }) => [level, reason]),
        [[40, 'it did not answer within 5 s']],
      )
      assert.equal(clock.taskCount, 0)
      delete answers[path]
    }
  }
})

test('whatever an issuer sends in place of its documents: 503 and not 401, asked once in a second, with one line in the log', async (t) => {
  const { issuer, asked, answers, tokenOf } = await anIssuer(t)
  const token = await tokenOf('first')
  const json = (body: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(body))
  const anywhere: Answer[] = [
    (response) => response.end('<html>not here</html>'),
    (response) => response.end('{"issuer":"'),
    (response) => response.end(),
    (response) => response.end(randomBytes(1_000)),
    (response) => response.destroy(),
    (response) => response.writeHead(500).end('{}'),
    (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    json(null),
    json('text'),
    json([]),
    json({}),
  ]
  const where: Answer[] = [
    ...anywhere,
    json({ issuer: 'https://evil.example', jwks_uri: `${issuer}/keys` }),
    json({ issuer: `${issuer}/`, jwks_uri: `${issuer}/keys` }),
    json({ issuer }),
    json({ issuer, jwks_uri: 7 }),
    json({ issuer, jwks_uri: '/keys' }),
  ]
  const bad = [{ kty: 'EC', crv: 'P-256', x: '!', y: '!', kid: 'first' }]
  const sets: Answer[] = [...anywhere, json({ keys: {} }), json({ keys: [null] }), json({ keys: bad })]
  const cases = [
    ...where.map((answer) => [WHERE, answer] as const),
    ...sets.map((answer) => ['/keys', answer] as const),
  ]
  for (const [index, [path, answer]] of cases.entries()) {
    const { check, clock, logged, kindOf } = aCheck(issuer)
    answers[path] = answer
    asked.length = 0
    for (let request = 0; request < 3; request += 1) {
      const verdict = await check.check(token)
      assert.deepEqual(
        verdict,
        { kind: 'unavailable', reason: `the issuer ${issuer} could not be asked for its keys` },
        `${path} ${index}`,
      )
    }
    assert.ok(asked.length <= 2, asked.join())
    delete answers[path]
    // The last case has keys, of which one is no key: they are asked for again when they are older.
    clock.advance(index === cases.length - 1 ? UNKNOWN_KEY_AGE_MS : 1_000)
    assert.equal(await kindOf(token), 'known')
    assert.deepEqual(
      logged.map(({ level }) => level),
      [40, 30],
      `${path} ${index}: ${JSON.stringify(logged)}`,
    )
    assert.match(logged[0]!.msg, /^the issuer of tokens could not be asked for its keys: /)
    assert.notEqual(logged[0]!.reason, '')
    assert.match(logged[1]!.msg, /^the issuer of tokens answers again$/)
  }
})

test('a token that names a key of too few bits: 503, whatever its signature is', async (t) => {
  const { issuer, published } = await anIssuer(t)
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  published.push({ ...publicKey.export({ format: 'jwk' }), kid: 'weak' })
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url')
  const claims = { iss: issuer, aud: 'cohort', sub: 'alice', exp: NOW_MS / 1_000 + 60 }
  const token = `${part({ alg: 'RS256', kid: 'weak' })}.${part(claims)}.AAAA`
  const { check, logged } = aCheck(issuer, ['RS256'])
  assert.equal((await check.check(token)).kind, 'unavailable')
  assert.match(logged[0]!.reason!, /a key of it has 1024 bits, and RSA needs 2048/)
})

test('when an issuer goes away, tokens of its keys count for ten minutes, also beside tokens of unknown keys', async (t) => {
  const { issuer, answers, tokenOf, addKey } = await anIssuer(t)
  const { clock, logged, kindOf } = aCheck(issuer)
  assert.equal(await kindOf(await tokenOf('first')), 'known')
  answers[WHERE] = (response) => response.destroy()
  addKey('second')
  for (let minute = 1; minute < 10; minute += 1) {
    clock.advance(60_000)
    // Such a token may be valid: the issuer may have a new key.
    assert.equal(await kindOf(await tokenOf('second', `s${minute}`)), 'unavailable')
    assert.equal(await kindOf(await tokenOf('first', `a${minute}`)), 'known')
  }
  clock.advance(60_000)
  assert.equal(await kindOf(await tokenOf('first', 'late')), 'unavailable')
  delete answers[WHERE]
  clock.advance(1_000)
  for (const kid of ['first', 'second']) assert.equal(await kindOf(await tokenOf(kid, 'late')), 'known')
  assert.deepEqual(
    logged.map(({ level }) => level),
    [40, 30],
  )
})

test('after a rotation tokens of the new key are taken, at most thirty seconds after the last look; those of a removed key are refused after ten minutes', async (t) => {
  const { issuer, asked, published, tokenOf, addKey } = await anIssuer(t)
  const { clock, kindOf } = aCheck(issuer)
  const old = (subject: string) => tokenOf('first', subject)
  assert.equal(await kindOf(await old('a')), 'known')
  addKey('second')
  clock.advance(UNKNOWN_KEY_AGE_MS - 1)
  asked.length = 0
  assert.equal(await kindOf(await tokenOf('second')), 'refused')
  assert.deepEqual(asked, [])
  clock.advance(1)
  assert.equal(await kindOf(await tokenOf('second')), 'known')
  published.shift()
  clock.advance(KEYS_AGE_MS_MAX - 1)
  assert.equal(await kindOf(await old('b')), 'known')
  clock.advance(1)
  assert.equal(await kindOf(await old('c')), 'refused')
  assert.equal(await kindOf(await tokenOf('second', 'c')), 'known')
})

test('the keys of a new place are found when the issuer has moved them', async (t) => {
  const { issuer, answers, tokenOf } = await anIssuer(t)
  const { clock, kindOf } = aCheck(issuer)
  assert.equal(await kindOf(await tokenOf('first')), 'known')
  answers[WHERE] = (response) => response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/moved` }))
  answers['/keys'] = (response) => response.writeHead(404).end()
  clock.advance(KEYS_AGE_MS_MAX)
  assert.equal(await kindOf(await tokenOf('first', 'b')), 'known')
})

test('a thousand tokens of unknown keys ask the issuer once; while it hangs, known tokens, new tokens of known keys and API keys are taken', async (t) => {
  const { issuer, asked, answers, tokenOf, server } = await anIssuer(t)
  const { check, clock, kindOf } = aCheck(issuer)
  const known = await tokenOf('first')
  assert.equal(await kindOf(known), 'known')
  clock.advance(UNKNOWN_KEY_AGE_MS)
  asked.length = 0
  answers[WHERE] = () => void server.emit('hangs')
  const hangs = once(server, 'hangs')
  const unknown = (index: number) => {
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: `u${index}` })).toString('base64url')
    return `${header}.${known.split('.').slice(1).join('.')}`
  }
  const waiting = Array.from({ length: 1_000 }, (_, index) => kindOf(unknown(index)))
  await hangs
  const admin = newToken(randomBytes)
  const credentials = new CredentialCheck({
    keys: new KeyCheck({
      cache: undefined,
      adminHashes: () => [hashToken(admin)],
      wallClockMs: () => NOW_MS,
      onUse: () => {},
    }),
    tokens: check,
  })
  for (const token of [known, await tokenOf('first', 'bob'), admin]) {
    assert.equal((await credentials.authenticate({ authorization: `Bearer ${token}` })).kind, 'known')
  }
  clock.advance(FETCH_TIMEOUT_MS)
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['unavailable']))
  assert.deepEqual(asked, [WHERE])
})

test('a document of the issuer that never ends is read up to a bound: the keys, and where they are', async (t) => {
  const chunk = Buffer.alloc(65_536, ' ')
  let sent = 0
  const endless = createServer(({ url }, response) => {
    if (url !== '/keys' && !url!.startsWith('/endless')) {
      response.end(JSON.stringify({ issuer: here, jwks_uri: `${here}/keys` }))
      return
    }
    const send = () => {
      do sent += chunk.length
      while (!response.destroyed && response.write(chunk))
    }
    response.on('drain', send)
    send()
  })
  endless.listen(0, '127.0.0.1')
  await once(endless, 'listening')
  t.after(() => endless.close())
  const here = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`
  const token = await (await anIssuer(t)).tokenOf('first')
  for (const named of [here, `${here}/endless`]) {
    sent = 0
    const { kind } = await aCheck(named).check.check(token)
    assert.equal(kind, 'unavailable')
    // What the bound lets through, and what is in the buffers of two sockets.
    assert.ok(sent < 32 * 1_048_576, `${sent} bytes were read`)
  }
})
