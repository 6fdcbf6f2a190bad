/** Tokens of a real issuer on this machine, and forged ones. */
import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { OAuth2Server } from 'oauth2-mock-server'
import type { Verdict } from './authenticator.ts'
import { CredentialCheck } from './credential-check.ts'
import { parseRoleRules } from './role-rules.ts'
import { TokenCheck, type TokenCheckOptions } from './token-check.ts'

const AUDIENCE = 'cohort'
const RULES = parseRoleRules(['platform-admins -> admin', 'team-a -> writer:team-a/', 'everyone -> reader'])

const server = new OAuth2Server()
let issuer: string

before(async () => {
  await server.issuer.keys.generate('RS256', { kid: 'first' })
  await server.start(0, '127.0.0.1')
  issuer = server.issuer.url!
})

after(() => server.stop())

type Claims = { [claim: string]: unknown }

/** A token that the issuer has signed. */
function issued(claims: Claims = {}, kid = 'first'): Promise<string> {
  return server.issuer.buildToken({
    kid,
    scopesOrTransform: (_header, payload) => {
      Object.assign(payload, { sub: 'alice', aud: AUDIENCE, roles: ['team-a'], ...claims })
    },
  })
}

function checkOf(options: Partial<TokenCheckOptions> = {}): TokenCheck {
  return new TokenCheck({
    issuer,
    audience: AUDIENCE,
    algorithms: ['RS256', 'ES256'],
    roleClaim: ['roles'],
    rules: RULES,
    clock: { nowMs: () => performance.now() },
    wallClockMs: Date.now,
    cooldownMs: 0,
    ...options,
  })
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** A token that somebody else has made. */
function forged(header: object, claims: Claims, sign: (input: string) => Buffer): string {
  const now = Math.floor(Date.now() / 1_000)
  const payload = {
    iss: issuer,
    sub: 'mallory',
    aud: AUDIENCE,
    iat: now,
    exp: now + 600,
    roles: ['platform-admins'],
  }
  const input = `${base64(header)}.${base64({ ...payload, ...claims })}`
  return `${input}.${sign(input).toString('base64url')}`
}

async function reasonFor(token: string, check = checkOf()): Promise<string> {
  const verdict = await check.check(token)
  assert.equal(verdict.kind, 'refused', JSON.stringify(verdict))
  return (verdict as Extract<Verdict, { kind: 'refused' }>).reason
}

async function callerOf(token: string, check = checkOf()) {
  const verdict = await check.check(token)
  assert.ok(verdict.kind === 'known', JSON.stringify(verdict))
  return verdict.caller
}

test('a token of the issuer names its caller; the first rule that fits gives the role', async () => {
  const caller = await callerOf(await issued({ preferred_username: 'Alice' }))
  assert.deepEqual(caller, {
    kind: 'jwt',
    id: 'alice',
    name: 'Alice',
    role: 'writer',
    prefix: 'team-a/',
    ref: 'jwt:alice',
  })
  const both = await callerOf(await issued({ roles: ['everyone', 'platform-admins'] }))
  assert.deepEqual([both.role, both.prefix], ['admin', ''])
})

test('a token whose values no rule names has a caller without a role', async () => {
  for (const roles of [[], ['team-b'], ['Team-A'], 7, null, undefined, { 'team-a': true }, [['team-a']]]) {
    assert.equal((await callerOf(await issued({ roles }))).role, 'none', JSON.stringify(roles))
  }
})

test('the values are read from the claim that the settings name: a list, a text, or words', async () => {
  const nested = checkOf({ roleClaim: ['realm_access', 'roles'] })
  assert.equal(
    (await callerOf(await issued({ realm_access: { roles: ['everyone'] } }), nested)).role,
    'reader',
  )
  assert.equal((await callerOf(await issued({}), nested)).role, 'none')
  const words = checkOf({ roleClaim: ['scope'] })
  assert.equal((await callerOf(await issued({ scope: 'openid everyone' }), words)).role, 'reader')
  assert.equal((await callerOf(await issued({}), checkOf({ roleClaim: ['constructor'] }))).role, 'none')
})

test('an unsigned token is refused, whatever it says', async () => {
  for (const alg of ['none', 'None', 'NONE']) {
    const token = forged({ alg, typ: 'JWT' }, {}, () => Buffer.alloc(0))
    assert.match(await reasonFor(token), /^The token is (not signed with RS256, ES256|malformed)\.$/)
  }
  assert.match(await reasonFor(forged({ typ: 'JWT' }, {}, () => Buffer.alloc(0))), /malformed/)
})

test('a token that is signed with the public key as a shared secret is refused', async () => {
  const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: { kid: string }[] }
  const jwk = keys.find(({ kid }) => kid === 'first')!
  const pem = createPublicKey({ key: jwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  for (const secret of [pem as string, (pem as string).trim(), JSON.stringify(jwk)]) {
    const sign = (input: string) => createHmac('sha256', secret).update(input).digest()
    assert.equal(
      await reasonFor(forged({ alg: 'HS256', kid: 'first' }, {}, sign)),
      'The token is not signed with RS256, ES256.',
    )
  }
})

test('a token that somebody else has signed is refused, also if it brings its own key', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const sign = (input: string) => signBytes('sha256', Buffer.from(input), privateKey)
  const jwk = publicKey.export({ format: 'jwk' })
  for (const header of [
    { alg: 'RS256', kid: 'first' },
    { alg: 'RS256', kid: 'unknown' },
    { alg: 'RS256', kid: 'first', jwk },
    { alg: 'RS256', kid: 'first', jku: 'http://127.0.0.1:1/jwks' },
  ]) {
    assert.equal(await reasonFor(forged(header, {}, sign)), 'The signature of the token is not valid.')
  }
})

test('another audience, another issuer, an expiry that is over, a time that has not come: each is told', async () => {
  assert.equal(await reasonFor(await issued({ aud: 'other' })), 'The token is not for the audience cohort.')
  assert.equal(await reasonFor(await issued({ aud: undefined })), 'The token is not for the audience cohort.')
  assert.equal(
    await reasonFor(await issued({ iss: 'https://evil.example' })),
    `The token is not of the issuer ${issuer}.`,
  )
  const now = Math.floor(Date.now() / 1_000)
  assert.equal(await reasonFor(await issued({ exp: now - 60 })), 'The token has expired.')
  const later = (seconds: number) => checkOf({ wallClockMs: () => (now + seconds) * 1_000 })
  const token = await issued({ exp: now + 600 })
  assert.equal((await callerOf(token, later(604))).id, 'alice', 'the clocks may differ by five seconds')
  assert.equal(await reasonFor(token, later(606)), 'The token has expired.')
  assert.match(await reasonFor(await issued({ exp: undefined })), /claim exp .* missing/)
  assert.match(await reasonFor(await issued({ nbf: now + 600 })), /claim nbf /)
  assert.match(await reasonFor(await issued({ sub: undefined })), /claim sub .* missing/)
  for (const sub of ['', 'a\nb', 'x'.repeat(257)]) {
    assert.equal(await reasonFor(await issued({ sub })), 'The token does not name its subject.')
  }
  assert.ok((await callerOf(await issued({ aud: ['x', AUDIENCE] }))).id === 'alice')
})

test('a signature with an algorithm that the settings do not name is refused', async () => {
  assert.equal(
    await reasonFor(await issued(), checkOf({ algorithms: ['ES256'] })),
    'The token is not signed with ES256.',
  )
})

test('a text that is no token is refused without asking the issuer', async () => {
  let count = 0
  const check = checkOf({
    fetchJson: async () => {
      count += 1
      throw new Error('asked')
    },
  })
  for (const text of ['', 'x', 'a.b', 'a.b.c', '..', `${base64({ alg: 'RS256' })}.x.y.z.w`]) {
    assert.match(await reasonFor(text, check), /malformed/)
  }
  assert.equal(count, 0)
})

test('no text makes the check fail: each is refused, or the issuer is asked', async () => {
  const check = checkOf({ fetchJson: () => Promise.reject(new Error('down')) })
  const part = fc.oneof(
    fc.base64String().map((text) => text.replaceAll(/[+/=]/g, '')),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.constantFrom(
      base64({ alg: 'RS256' }),
      base64({ alg: 'ES256', crit: ['x'], x: 1 }),
      base64({ alg: 'none' }),
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
      const { kind } = await check.check(parts.join('.'))
      assert.ok(kind === 'refused' || kind === 'unavailable', kind)
    }),
  )
})

test('a remembered token is refused when it expires, and is not checked again before', async () => {
  let nowMs = Date.now()
  let fetches = 0
  const check = checkOf({
    wallClockMs: () => nowMs,
    fetchJson: async (url) => {
      fetches += 1
      return (await fetch(url)).json()
    },
  })
  const token = await issued({ exp: Math.floor(nowMs / 1_000) + 30 })
  await callerOf(token, check)
  const again = check.check(token)
  assert.ok(!(again instanceof Promise), 'it is known at once')
  assert.equal(fetches, 1)
  nowMs += 40_000
  assert.equal(await reasonFor(token, check), 'The token has expired.')
  const long = await issued({ exp: Math.floor(nowMs / 1_000) + 3_600 })
  await callerOf(long, check)
  nowMs += 59_999
  assert.ok(!(check.check(long) instanceof Promise))
  nowMs += 1
  const checked = check.check(long)
  assert.ok(checked instanceof Promise, 'after a minute its signature is checked again')
  await checked
})

test('the issuer rotates its keys: tokens of the new key are taken, those of a removed key are not', async () => {
  const rotating = new OAuth2Server()
  await rotating.issuer.keys.generate('RS256', { kid: 'old' })
  await rotating.start(0, '127.0.0.1')
  try {
    let nowMs = Date.now()
    const check = checkOf({ issuer: rotating.issuer.url!, wallClockMs: () => nowMs })
    const build = (kid: string) =>
      rotating.issuer.buildToken({
        kid,
        scopesOrTransform: (_header, payload) => {
          Object.assign(payload, { sub: 'alice', aud: AUDIENCE, roles: ['team-a'] })
        },
      })
    const old = await build('old')
    await callerOf(old, check)
    await rotating.issuer.keys.generate('ES256', { kid: 'new' })
    await callerOf(await build('new'), check)
    // The old key is removed from the issuer; this connector has not asked since.
    const { keys } = rotating.issuer as unknown as { keys: { toJSON: (...args: never[]) => unknown[] } }
    const all = keys.toJSON.bind(keys)
    keys.toJSON = (...args) => all(...args).filter((key) => (key as { kid: string }).kid !== 'old')
    nowMs += 61_000
    const fresh = checkOf({ issuer: rotating.issuer.url!, wallClockMs: () => nowMs })
    assert.equal(await reasonFor(old, fresh), 'The signature of the token is not valid.')
  } finally {
    await rotating.stop()
  }
})

test('an issuer that does not answer, or with something else: 503 and not 401, and it is not asked each time', async () => {
  let nowMs = 0
  let fetches = 0
  let answer: unknown = new Error('connection refused')
  const check = checkOf({
    clock: { nowMs: () => nowMs },
    fetchJson: async (url) => {
      fetches += 1
      if (answer instanceof Error) throw answer
      return answer ?? (await fetch(url)).json()
    },
  })
  const token = await issued()
  for (const wrong of [
    answer,
    {},
    { issuer: 'https://evil.example', jwks_uri: `${issuer}/jwks` },
    { issuer },
  ]) {
    answer = wrong
    fetches = 0
    for (let request = 0; request < 5; request += 1) {
      assert.deepEqual(await check.check(token), {
        kind: 'unavailable',
        reason: `the issuer ${issuer} could not be asked for its keys`,
      })
    }
    assert.equal(fetches, 1)
    nowMs += 1_000
  }
  answer = undefined
  assert.equal((await callerOf(token, check)).id, 'alice')
})

test('by HTTP an issuer is taken at its word, and not at that of another place to which it sends', async (t) => {
  const asked: string[] = []
  const impostor = createServer(({ url }, response) => {
    asked.push(url!)
    if (url === '/.well-known/openid-configuration') response.writeHead(302, { location: '/elsewhere' }).end()
    else if (url === '/other/.well-known/openid-configuration') response.writeHead(500).end('{}')
    else response.end(JSON.stringify({ issuer: here, jwks_uri: `${issuer}/jwks` }))
  })
  impostor.listen(0, '127.0.0.1')
  await once(impostor, 'listening')
  t.after(() => impostor.close())
  const here = `http://127.0.0.1:${(impostor.address() as AddressInfo).port}`
  const timeout = t.mock.method(AbortSignal, 'timeout')
  const token = await issued()
  for (const named of [here, `${here}/other`]) {
    assert.equal((await checkOf({ issuer: named }).check(token)).kind, 'unavailable', named)
  }
  assert.deepEqual(asked, ['/.well-known/openid-configuration', '/other/.well-known/openid-configuration'])
  const waits = timeout.mock.calls.map(({ arguments: [ms] }) => ms)
  assert.deepEqual(waits, [5_000, 5_000], 'it is waited for five seconds')
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
  const token = await issued()
  for (const named of [here, `${here}/endless`]) {
    sent = 0
    const { kind } = await checkOf({ issuer: named }).check(token)
    assert.equal(kind, 'unavailable')
    // What the bound lets through, and what is in the buffers of two sockets.
    assert.ok(sent < 32 * 1_048_576, `${sent} bytes were read`)
  }
})

test('the kinds of credentials name the issuer, and each token goes to its own check', async () => {
  const asked: string[] = []
  const checkFor =
    (name: string) =>
    (token: string): Verdict => {
      asked.push(`${name} ${token}`)
      return { kind: 'refused', reason: 'No.' }
    }
  const credentials = new CredentialCheck({
    keys: { check: checkFor('key') },
    tokens: { check: checkFor('token'), kind: checkOf().kind },
  })
  assert.deepEqual(credentials.kinds, [
    'an API key as "Authorization: Bearer cohort_..."',
    `a token of ${issuer} as "Authorization: Bearer ..."`,
  ])
  credentials.authenticate({ authorization: 'Bearer cohort_x' })
  credentials.authenticate({ authorization: 'Bearer a.b.c' })
  assert.deepEqual(asked, ['key cohort_x', 'token a.b.c'])
})
