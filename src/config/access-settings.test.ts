import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasAuthentication, isLocalOnly } from './access-settings.ts'
import type { Flags } from './lookup.ts'
import { SettingError } from './setting-error.ts'
import { readConnectorSettings, readUpSettings } from './settings.ts'

type Variables = { [name: string]: string }

function read(variables: Variables, flags: Flags = {}) {
  return readConnectorSettings({ hosts: 'a:1', ...flags }, { variables, dotEnv: {} }).access
}

/** The sentence of the refusal. */
function refusal(variables: Variables, flags: Flags = {}): string {
  try {
    read(variables, flags)
  } catch (error) {
    assert.ok(error instanceof SettingError, String(error))
    return error.message
  }
  return assert.fail('it was not refused')
}

const OIDC = {
  OIDC_ISSUER: 'https://login.example.com/realm',
  OIDC_AUDIENCE: 'cohort',
  OIDC_ROLES: 'admins -> admin, team-a -> writer:team-a/',
}

test('on this machine a connector is open, and elsewhere it does not start without authentication', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
    assert.equal(hasAuthentication(read({}, { host })), false, host)
  }
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'fe80::1',
    'cohort.example.com',
    'localhost.example.com',
    '::ffff:7f00:1',
  ]) {
    assert.equal(
      refusal({}, { host }),
      `--host is ${host}, where other machines can connect, and then anyone could read and change all groups: set ADMIN_KEY_FILE to a file with the hash of an admin key ("cohort key hash --new FILE" makes both), or OIDC_ISSUER, or listen on 127.0.0.1 (--host), or allow it with --insecure (INSECURE=true)`,
    )
    for (const allowed of [{ INSECURE: 'true' }, { ADMIN_KEY_FILE: '/k' }, OIDC]) {
      read(allowed as Variables, { host })
    }
  }
})

test('INSECURE does not turn off an authentication that is set', () => {
  assert.equal(hasAuthentication(read({ INSECURE: 'true', ADMIN_KEY_FILE: '/k' }, { host: '0.0.0.0' })), true)
  assert.equal(hasAuthentication(read({ INSECURE: 'true' }, { host: '0.0.0.0' })), false)
})

test('only an open connector that nobody else was let into looks at the names by which it is called', () => {
  const isLocal = (variables: Variables) =>
    isLocalOnly(readConnectorSettings({ hosts: 'a:1' }, { variables, dotEnv: {} }))
  assert.equal(isLocal({}), true)
  for (const variables of [{ INSECURE: 'true' }, { ADMIN_KEY_FILE: '/k' }, OIDC])
    assert.equal(isLocal(variables as Variables), false)
  assert.equal(isLocal({ HOST: '0.0.0.0', INSECURE: 'true' }), false)
})

test('an issuer has an audience and rules, and only signatures by a private key are taken', () => {
  assert.deepEqual(read(OIDC).oidc, {
    issuer: 'https://login.example.com/realm',
    audience: 'cohort',
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    roleClaim: ['roles'],
    rules: [
      { value: 'admins', role: 'admin', prefix: '' },
      { value: 'team-a', role: 'writer', prefix: 'team-a/' },
    ],
  })
  const more = read({ ...OIDC, OIDC_ALGORITHMS: 'ES256, ES384', OIDC_ROLE_CLAIM: 'realm_access.roles' }).oidc
  assert.deepEqual(more?.algorithms, ['ES256', 'ES384'])
  assert.deepEqual(more?.roleClaim, ['realm_access', 'roles'])
  for (const OIDC_ALGORITHMS of ['none', 'HS256', 'RS256,HS256', 'rs256', ',']) {
    assert.match(refusal({ ...OIDC, OIDC_ALGORITHMS }), /^OIDC_ALGORITHMS .* must be some of RS256, /)
  }
  for (const OIDC_ISSUER of ['login.example.com', 'http://login.example.com', 'ftp://x', 'https://x/?a=b']) {
    assert.match(
      refusal({ ...OIDC, OIDC_ISSUER }),
      /^OIDC_ISSUER .* must be the URL of an issuer, with https/,
    )
  }
  assert.equal(read({ ...OIDC, OIDC_ISSUER: 'http://127.0.0.1:9/' }).oidc?.issuer, 'http://127.0.0.1:9/')
  for (const missing of ['OIDC_AUDIENCE', 'OIDC_ROLES'] as const) {
    const { [missing]: _, ...rest } = OIDC
    assert.match(refusal(rest), new RegExp(`^${missing} is missing: `))
  }
  assert.match(
    refusal({ ...OIDC, OIDC_ROLES: 'admins = admin' }),
    /^OIDC_ROLES \(from the environment\) cannot be used: a rule is of the form "VALUE -> ROLE"/,
  )
})

test('roles of client certificates need a CA of clients', () => {
  assert.match(refusal({ CLIENT_ROLES_FILE: '/r' }), /needs TLS_CLIENT_CA_FILE: without it no client shows/)
  const tls = { TLS_CERT_FILE: '/c', TLS_KEY_FILE: '/k', TLS_CLIENT_CA_FILE: '/a' }
  assert.equal(read({ ...tls, CLIENT_ROLES_FILE: '/r' }, { host: '0.0.0.0' }).clientRolesFile, '/r')
})

test('an empty setting is none, so that `up` can take one away from its services', () => {
  const flags = { adminKeyFile: '', oidcIssuer: '', clientRolesFile: '' }
  assert.equal(
    hasAuthentication(read({ ...OIDC, ADMIN_KEY_FILE: '/k', CLIENT_ROLES_FILE: '/r' }, flags)),
    false,
  )
})

test('`up` starts on every address: it makes an admin key where other machines connect', () => {
  const settings = readUpSettings({ host: '0.0.0.0' }, { variables: { ADMIN_KEY_FILE: '/k' }, dotEnv: {} })
  assert.deepEqual([settings.adminKeyFile, settings.isInsecure], ['/k', false])
})
