/** From the settings to the verdict: each kind of credential that a connector takes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { OAuth2Server } from 'oauth2-mock-server'
import { pino } from 'pino'
import { hashLineOf } from '../access/admin-keys.ts'
import { newToken } from '../access/key-token.ts'
import { SettingError } from '../config/setting-error.ts'
import { readConnectorSettings } from '../config/settings.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openAuthentication } from './authentication.ts'

const directory = mkdtempSync(join(tmpdir(), 'cohort-authentication-'))
after(() => rmSync(directory, { recursive: true }))

function aFile(name: string, text: string): string {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

async function open(variables: { [name: string]: string }) {
  const { host, access } = readConnectorSettings({ hosts: 'a:1' }, { variables, dotEnv: {} })
  const clock = new ManualClock()
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(JSON.parse(line).msg) })
  const unused = () => assert.fail('the cluster was asked')
  const keys = { read: unused, change: unused, scan: unused }
  const options = { host, keys, clock, wallClockMs: Date.now, logger }
  const authentication = await openAuthentication(access, options)
  const verdict = async (authorization?: string, subject?: string) => {
    const credentials = { authorization, certificateSubject: () => subject }
    return authentication.authenticator?.authenticate(credentials)
  }
  return { ...authentication, verdict, clock, logged }
}

test('without a setting a connector is open, and says so in one line', async () => {
  const here = await open({})
  assert.equal(here.authenticator, undefined)
  assert.deepEqual(here.logged, [
    'the API has no authentication: every program of this machine may do everything',
  ])
  const anywhere = await open({ HOST: '10.0.0.1', INSECURE: 'true' })
  assert.equal(anywhere.authenticator, undefined)
  assert.deepEqual(anywhere.logged, [
    'the API has no authentication (INSECURE): everyone who reaches it may do everything',
  ])
})

test('keys, tokens and certificates are all taken at once, and named in the kinds', async () => {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  try {
    const admin = newToken(randomBytes)
    const issuer = server.issuer.url!
    const world = await open({
      ADMIN_KEY_FILE: aFile('admin.hash', hashLineOf(admin)),
      OIDC_ISSUER: issuer,
      OIDC_AUDIENCE: 'cohort',
      OIDC_ROLES: 'team-a -> writer:team-a/',
      TLS_CERT_FILE: '/c',
      TLS_KEY_FILE: '/k',
      TLS_CLIENT_CA_FILE: '/a',
      CLIENT_ROLES_FILE: aFile('roles', 'CN=ci -> monitor\n'),
    })
    assert.deepEqual(world.authenticator?.kinds, [
      'an API key as "Authorization: Bearer cohort_..."',
      `a token of ${issuer} as "Authorization: Bearer ..."`,
      'a client certificate',
    ])
    const token = await server.issuer.buildToken({
      scopesOrTransform: (_header, payload) => {
        Object.assign(payload, { sub: 'alice', aud: 'cohort', roles: ['team-a'] })
      },
    })
    const roles = []
    for (const credentials of [[`Bearer ${admin}`], [`Bearer ${token}`], [undefined, 'CN=ci']] as const) {
      const verdict = await world.verdict(...credentials)
      assert.ok(verdict?.kind === 'known', JSON.stringify(verdict))
      roles.push([verdict.caller.kind, verdict.caller.role])
    }
    assert.deepEqual(roles, [
      ['admin-key', 'admin'],
      ['jwt', 'writer'],
      ['certificate', 'monitor'],
    ])
    assert.deepEqual(await world.verdict(), { kind: 'missing' })

    // Both files may change while the connector runs.
    aFile('admin.hash', hashLineOf(newToken(randomBytes)))
    aFile('roles', 'CN=ci -> admin\n')
    world.clock.advance(1_000)
    const after = await world.verdict(undefined, 'CN=ci')
    assert.ok(after?.kind === 'known' && after.caller.role === 'admin')
    world.close()
    assert.equal(world.clock.taskCount, 0)
  } finally {
    await server.stop()
  }
})

test('a file that cannot be used stops the start, and its setting is named', async () => {
  await assert.rejects(
    open({ ADMIN_KEY_FILE: aFile('empty', '') }),
    (error) => error instanceof SettingError && /^ADMIN_KEY_FILE: \S+empty holds no hash/.test(error.message),
  )
})
