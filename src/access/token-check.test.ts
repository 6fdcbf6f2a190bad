/** Tokens of a real issuer on this machine, and forged ones. */
import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { OAuth2Server } from 'oauth2-mock-server'
import { pino } from 'pino'
import { ManualClock } from '../testing/manual-clock.ts'
import type { Verdict } from './authenticator.ts'
import { CredentialCheck } from './credential-check.ts'
import { parseRoleRules } from './role-rules.ts'
import { TokenCheck, type TokenCheckOptions } from './token-check.ts'

const AUDIENCE = 'cohort'
const SILENT = pino({ level: 'silent' })
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
    clock: new ManualClock(),
    logger: SILENT,
    wallClockMs: Date.now,
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

test('claims of another type than they should be give nothing', async () => {
  const now = Math.floor(Date.now() / 1_000)
  for (const exp of [`${now + 600}`, null, true, [], {}, -1, 0]) {
    assert.match(await reasonFor(await issued({ exp })), /^The (claim exp of the token|token has expired)/)
  }
  assert.match(await reasonFor(await issued({ nbf: `${now}` })), /^The claim nbf /)
  for (const iss of [[issuer], `${issuer}/`, `${issuer}#`, issuer.toUpperCase(), undefined, { issuer }, '']) {
    assert.equal(await reasonFor(await issued({ iss })), `The token is not of the issuer ${issuer}.`)
  }
  for (const aud of [{ cohort: true }, [['cohort']], 'Cohort', 'cohort ', 'cohort-2', ['x'], [], true]) {
    assert.equal(await reasonFor(await issued({ aud })), 'The token is not for the audience cohort.')
  }
  for (const sub of [7, ['alice'], { alice: 1 }, null]) {
    assert.match(await reasonFor(await issued({ sub })), /^The (token does not name its subject|claim sub)/)
  }
})

test('what the header of a token says chooses nothing but a key of the issuer', async () => {
  const [, payload, signature] = (await issued({ sub: 'victim', roles: ['platform-admins'] })).split('.')
  for (const header of [
    { alg: 'rs256', kid: 'first' },
    { alg: ['RS256'], kid: 'first' },
    { alg: 'RS256', kid: ['first'] },
    { alg: 'RS256', kid: { toString: 'first' } },
    { alg: 'RS256', kid: '../first' },
    { alg: 'RS256', kid: 'FIRST' },
    { alg: 'RS256', kid: '__proto__' },
    { alg: 'RS256', kid: 'first', crit: ['kid'] },
    { alg: 'RS256', kid: 'first', b64: false, crit: ['b64'] },
    { alg: 'RS256', kid: 'first', zip: 'DEF' },
    { alg: 'RS256', kid: 'first', enc: 'A256GCM' },
    { alg: 'ES256', kid: 'first' },
    { alg: 'RS512', kid: 'first' },
    { alg: 'RS256' },
  ]) {
    const verdict = await checkOf().check(`${base64(header)}.${payload}.${signature}`)
    assert.equal(verdict.kind, 'refused', JSON.stringify(header))
  }
})

test('a signature of zeros, of another length or of another token is refused', async () => {
  const token = await issued()
  const [header, payload, signature] = token.split('.') as [string, string, string]
  const bytes = Buffer.from(signature, 'base64url')
  const other = (await issued({ sub: 'bob' })).split('.')[2]!
  const texts = [
    Buffer.alloc(bytes.length),
    Buffer.alloc(0),
    bytes.subarray(1),
    Buffer.concat([bytes, bytes]),
  ]
  for (const text of [...texts.map((each) => each.toString('base64url')), other, `${signature}=`]) {
    assert.equal((await checkOf().check(`${header}.${payload}.${text}`)).kind, 'refused', text)
  }
  for (const text of [`${token}.`, `.${token}`, token.replace('.', '..')]) {
    assert.equal((await checkOf().check(text)).kind, 'refused', JSON.stringify(text))
  }
})

test('a key of the issuer that is not for signatures, or a shared secret of it, signs no token', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const secret = Buffer.from('a shared secret of thirty-two byte')
  const keys = [
    { ...publicKey.export({ format: 'jwk' }), kid: 'encryption', use: 'enc' },
    { ...publicKey.export({ format: 'jwk' }), kid: 'wrapping', key_ops: ['wrapKey'] },
    { ...publicKey.export({ format: 'jwk' }), kid: 'other', alg: 'PS256' },
    { kty: 'oct', k: secret.toString('base64url'), kid: 'secret' },
  ]
  const fetchJson = async (url: string) =>
    url.endsWith('/keys') ? { keys } : { issuer, jwks_uri: `${issuer}/keys` }
  const byRsa = (input: string) => signBytes('sha256', Buffer.from(input), privateKey)
  const byHmac = (input: string) => createHmac('sha256', secret).update(input).digest()
  for (const kid of ['encryption', 'wrapping', 'other']) {
    const token = forged({ alg: 'RS256', kid }, {}, byRsa)
    assert.equal(await reasonFor(token, checkOf({ fetchJson })), 'The signature of the token is not valid.')
  }
  for (const alg of ['HS256', 'RS256']) {
    assert.equal(
      (await checkOf({ fetchJson }).check(forged({ alg, kid: 'secret' }, {}, byHmac))).kind,
      'refused',
    )
  }
  // The same token counts when the issuer says that the key is for signatures.
  keys.push({ ...publicKey.export({ format: 'jwk' }), kid: 'good', use: 'sig' })
  const good = forged({ alg: 'RS256', kid: 'good' }, {}, byRsa)
  assert.equal((await callerOf(good, checkOf({ fetchJson }))).role, 'admin')
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
  assert.equal(fetches, 2, 'where the keys are, and the keys')
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

test('an expired token is refused while the issuer cannot be asked: a watch with it must end', async () => {
  let nowMs = Date.now()
  let isThere = true
  const clock = new ManualClock()
  const check = checkOf({
    clock,
    wallClockMs: () => nowMs,
    fetchJson: async (url) => {
      if (!isThere) throw new Error('it is away')
      return (await fetch(url)).json()
    },
  })
  const token = await issued({ exp: Math.floor(nowMs / 1_000) + 1_000 })
  await callerOf(token, check)
  isThere = false
  for (const [seconds, kind] of [
    [900, 'unavailable'],
    [104, 'unavailable'],
    [2, 'refused'],
  ] as const) {
    nowMs += 1_000 * seconds
    clock.advance(1_000 * seconds)
    const verdict = await check.check(token)
    assert.equal(verdict.kind, kind, `${seconds} s later`)
  }
  assert.equal(await reasonFor(token, check), 'The token has expired.')
  // What is no token, or tells no time, is as unknown as before.
  clock.advance(2_000)
  assert.equal((await check.check(`${token.split('.')[0]}.e30.AAAA`)).kind, 'unavailable')
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
