/** `cohort key`, `login` and `logout`, and the credentials of all commands, against the real API. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, lstat, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CredentialCheck } from '../../src/access/credential-check.ts'
import { KeyCache } from '../../src/access/key-cache.ts'
import { KeyCheck } from '../../src/access/key-check.ts'
import { hashToken, idOfToken, newToken } from '../../src/access/key-token.ts'
import { cohort, type Run } from './run-command.ts'
import { testApp } from './test-app.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))
const ADMIN = newToken(randomBytes)

type World = ReturnType<typeof testApp> &
  Readonly<{
    url: string
    directory: string
    /** Writes a file that only the owner may read. */
    file: (name: string, text: string) => Promise<string>
    /** Runs a command for this connector with the admin key. */
    admin: (...args: string[]) => Promise<Run>
  }>

/** A connector with authentication, and a directory. */
async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-keys-'))
  let nowMs = 0
  const base = testApp()
  const check = new KeyCheck({
    // Each question is a second later, so that no answer is remembered.
    cache: new KeyCache(base.keys, { nowMs: () => (nowMs += 1_001) }),
    adminHashes: () => [hashToken(ADMIN)],
    wallClockMs: Date.now,
    onUse: () => {},
  })
  const world = testApp({
    authenticator: new CredentialCheck({ keys: check }),
    engine: { keys: base.keys },
    clock: { now: () => new Date() },
  })
  const file = async (name: string, text: string) => {
    await writeFile(join(directory, name), text, { mode: 0o600 })
    return join(directory, name)
  }
  try {
    const url = await world.app.listen({ port: 0, host: '127.0.0.1' })
    const adminFile = await file('admin.key', `${ADMIN}\n`)
    const admin = (...args: string[]) => cohort([...args, '--url', url, '--key-file', adminFile])
    await run({ ...world, keys: base.keys, url, directory, file, admin })
  } finally {
    await world.app.close()
    await rm(directory, { recursive: true })
  }
}

test('a key is made into a file of its own, used by a command, listed, rotated and revoked', async () => {
  await inWorld(async ({ url, directory, admin }) => {
    const path = join(directory, 'ci.key')
    const made = await admin(
      ...['key', 'create', '--name', 'ci', '--role', 'writer', '--prefix', 'team-a/', '--expires', '90d'],
      ...['--out', path],
    )
    const token = (await readFile(path, 'utf8')).trim()
    const keyId = idOfToken(token)!
    assert.equal(made.exitCode, 0, made.stderr)
    assert.equal(made.stdout, '')
    assert.match(
      made.stderr,
      new RegExp(
        `^created the key ci \\(${keyId}\\): writer for "team-a/", expires 20\\S+Z\\. It is in ${path}\\.\n$`,
      ),
    )
    assert.equal((await stat(path)).mode & 0o777, 0o600)

    const use = (...args: string[]) => cohort([...args, '--url', url], { COHORT_KEY_FILE: path })
    assert.equal((await use('create', 'team-a/one')).exitCode, 0)
    assert.match(
      (await use('get', 'team-b/one')).stderr,
      /outside the prefix of the caller.*\(403 forbidden\)$/,
    )

    const list = await admin('key', 'list')
    assert.match(list.stdout, /^id +name +role +prefix +expires +last used +created +by +rotated by\n/)
    assert.match(list.stdout, new RegExp(`\n${keyId} +ci +writer +team-a/ +20\\S+ \\d\\d:\\d\\dZ +never `))
    const [json] = (await admin('key', 'list', '--json')).stdout.split('\n')
    assert.equal(JSON.parse(json!).keyId, keyId)

    const rotated = await admin('key', 'rotate', keyId)
    assert.equal(idOfToken(rotated.stdout.trim()), keyId)
    assert.equal(rotated.stdout, `${rotated.stdout.trim()}\n`)
    assert.match(rotated.stderr, /It is shown only now\.\n$/)
    const old = await use('get', 'team-a/one')
    assert.equal(old.exitCode, 1)
    assert.match(
      old.stderr,
      /^The API key is not valid: .* \(401 unauthenticated\): name a file with a key \(--key-file, COHORT_KEY_FILE\), or use "cohort login"$/,
    )
    await writeFile(path, rotated.stdout)
    assert.equal((await use('get', 'team-a/one')).exitCode, 0)
    assert.equal((await admin('key', 'revoke', keyId)).stdout, `revoked the key ci (${keyId})\n`)
    assert.equal((await use('get', 'team-a/one')).exitCode, 1)
    assert.match((await admin('key', 'revoke', keyId)).stderr, /No API key has this id \(404 key_not_found\)/)
    assert.match((await admin('key', 'list')).stdout, /^there are no API keys/)
  })
})

test('a file that exists is not replaced, and then no key is made', async () => {
  await inWorld(async ({ admin, file, keys }) => {
    const path = await file('mine', 'mine')
    const { exitCode, stderr } = await admin(
      'key',
      'create',
      '--name',
      'n',
      '--role',
      'reader',
      '--out',
      path,
    )
    assert.equal(exitCode, 1)
    assert.match(stderr, /mine exists, and is not replaced$/)
    assert.equal(await readFile(path, 'utf8'), 'mine')
    assert.equal(keys.text, '')
    // A link to nowhere has the name too: the key would be made, and could not be kept.
    await symlink(join(path, '..', 'nothing'), `${path}.link`)
    const linked = await admin('key', 'create', '--name', 'n', '--role', 'reader', '--out', `${path}.link`)
    assert.match(linked.stderr, /mine\.link exists, and is not replaced$/)
    assert.equal(keys.text, '')
    const nowhere = await admin('key', 'create', '--name', 'n', '--role', 'reader', '--out', `${path}/x`)
    assert.match(nowhere.stderr, /cannot be written/)
    assert.equal(keys.text, '')
  })
})

test('every command that speaks to the API sends the key', async () => {
  await inWorld(async ({ url, admin, directory }) => {
    const anonymous = (...args: string[]) => cohort([...args, '--url', url])
    for (const [args, exitCode] of [
      [['status'], 4],
      [['create', 'g'], 0],
      [['get', 'g'], 0],
      [['update', 'g', '--description', 'd'], 0],
      [['replicas', 'g'], 4],
      [['backup', '--out', join(directory, 'backup')], 0],
      [['delete', 'g'], 0],
      [['restore', '--in', join(directory, 'backup')], 0],
      [['key', 'list'], 0],
      [['add', '--host', '10.0.0.9:8001', '--no-wait'], 0],
      [['replace', '--old', 'n1', '--host', '10.0.0.9:8001', '--no-wait'], 0],
      [['remove', 'n1', '--no-wait'], 0],
      [['verify', '--seconds', '1', '--clients', '1'], 0],
    ] as const) {
      const without = await anonymous(...args)
      // `verify` is made for clusters that fail, and only finds that it got too few answers.
      if (args[0] !== 'verify') assert.match(without.stderr, /401 unauthenticated/, args.join(' '))
      assert.equal(without.exitCode, 1, args.join(' '))
      const result = await admin(...args)
      assert.equal(result.exitCode, exitCode, `${args.join(' ')}: ${result.stdout}${result.stderr}`)
    }
  })
})

test('login keeps a key for its URL in a file that only the user may read, and logout forgets it', async () => {
  await inWorld(async ({ url, directory, file, admin }) => {
    const home = { HOME: directory }
    const path = await file(
      'ci.key',
      (await admin('key', 'create', '--name', 'ci', '--role', 'reader')).stdout,
    )
    const login = await cohort(['login', '--url', url, '--key-file', path], home)
    assert.equal(login.exitCode, 0, login.stderr)
    const kept = join(directory, '.config/cohort/logins.json')
    assert.equal(login.stdout, `you are ci: reader for all groups. The key for ${url} is in ${kept}.\n`)
    assert.equal((await stat(kept)).mode & 0o777, 0o600)
    assert.equal((await stat(join(directory, '.config/cohort'))).mode & 0o777, 0o700)
    assert.match((await cohort(['get', 'g', '--url', url], home)).stderr, /404 group_not_found/)
    // The key is only for the connector that it was given for.
    const other = url.replace('127.0.0.1', 'localhost')
    assert.match((await cohort(['get', 'g', '--url', other], home)).stderr, /401|no connector answers/)
    // A key file wins.
    assert.equal((await cohort(['key', 'list', '--url', url], home)).exitCode, 1)
    assert.equal(
      (await cohort(['key', 'list', '--url', url, '--key-file', join(directory, 'admin.key')], home))
        .exitCode,
      0,
    )
    await chmod(kept, 0o644)
    assert.match(
      (await cohort(['get', 'g', '--url', url], home)).stderr,
      /^cohort: other users can read the keys in /,
    )
    assert.equal((await cohort(['logout', '--url', url], home)).stdout, `the key for ${url} is forgotten\n`)
    assert.match((await cohort(['get', 'g', '--url', url], home)).stderr, /401/)
    assert.equal((await cohort(['logout', '--url', url], home)).stdout, `there was no key for ${url}\n`)
  })
})

test('login keeps no key that the connector refuses', async () => {
  await inWorld(async ({ url, directory, file }) => {
    const path = await file('wrong.key', newToken(randomBytes))
    const { exitCode, stderr } = await cohort(['login', '--url', url, '--key-file', path], {
      HOME: directory,
    })
    assert.equal(exitCode, 1)
    assert.match(stderr, /401 unauthenticated/)
    await assert.rejects(stat(join(directory, '.config')))
  })
})

test('a key file that others can read is warned about; one that holds no key is refused without showing it', async () => {
  await inWorld(async ({ url, file }) => {
    const path = await file('open.key', ADMIN)
    await chmod(path, 0o644)
    const warned = await cohort(['status', '--url', url, '--key-file', path])
    assert.equal(warned.exitCode, 4)
    assert.equal(
      warned.stderr,
      `cohort: other users can read the key in ${path}: protect it with "chmod 600 ${path}"\n`,
    )
    for (const [text, reason] of [
      ['', /must hold one API key or token and nothing else$/],
      [`${ADMIN} ${ADMIN}`, /must hold one API key or token and nothing else$/],
      [ADMIN.slice(0, -1), /holds an API key that is cut off or mistyped$/],
      [`${ADMIN.slice(0, 20)}${ADMIN[20] === 'a' ? 'b' : 'a'}${ADMIN.slice(21)}`, /cut off or mistyped$/],
    ] as const) {
      const bad = await file('bad.key', text)
      const { exitCode, stderr } = await cohort(['status', '--url', url], { COHORT_KEY_FILE: bad })
      assert.equal(exitCode, 2)
      assert.match(stderr, reason)
      assert.match(stderr, /^COHORT_KEY_FILE \(from the environment\) names .*bad\.key, which /)
      assert.doesNotMatch(stderr, new RegExp(ADMIN.slice(7, 19)))
    }
    const missing = await cohort(['status', '--url', url, '--key-file', '/nowhere/key'])
    assert.match(missing.stderr, /^--key-file names \/nowhere\/key, which cannot be read \(ENOENT\)$/)
  })
})

test('key files and the file of logins may be links: the rights of the file count to which they lead', async () => {
  await inWorld(async ({ url, directory, file }) => {
    const kept = await file('kept.key', `${ADMIN}\n`)
    const link = join(directory, 'link.key')
    await symlink('kept.key', link)
    const status = () => cohort(['status', '--url', url], { COHORT_KEY_FILE: link })
    assert.deepEqual([(await status()).exitCode, (await status()).stderr], [4, ''])
    await chmod(kept, 0o640)
    assert.match(
      (await status()).stderr,
      /^cohort: other users can read the key in \S+link\.key: protect it /,
    )
    await rm(kept)
    assert.match((await status()).stderr, /names \S+link\.key, which cannot be read \(ENOENT\)$/)

    const home = { HOME: directory }
    const path = await file('admin2.key', ADMIN)
    assert.equal((await cohort(['login', '--url', url, '--key-file', path], home)).exitCode, 0)
    const logins = join(directory, '.config/cohort/logins.json')
    const elsewhere = join(directory, 'elsewhere.json')
    await rename(logins, elsewhere)
    await symlink(elsewhere, logins)
    assert.equal((await cohort(['key', 'list', '--url', url], home)).exitCode, 0)
    await chmod(elsewhere, 0o644)
    assert.match((await cohort(['key', 'list', '--url', url], home)).stderr, /^cohort: other users can read /)
    // A new login replaces the link by a file: what the link led to may be shared with other users.
    assert.equal((await cohort(['login', '--url', url, '--key-file', path], home)).exitCode, 0)
    const { mode } = await lstat(logins)
    assert.equal((await lstat(logins)).isSymbolicLink(), false)
    assert.equal(mode & 0o777, 0o600)
    assert.deepEqual(await cohort(['logout', '--url', url], home), {
      exitCode: 0,
      stdout: `the key for ${url} is forgotten\n`,
      stderr: '',
    })
  })
})

test('the hash of a key is made from stdin, and --new makes the key too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-hash-'))
  try {
    const fromStdin = (input: string) =>
      spawnSync(process.execPath, [PROGRAM, 'key', 'hash'], { input, encoding: 'utf8', cwd: directory })
    const hashed = fromStdin(`${ADMIN}\n`)
    assert.deepEqual([hashed.status, hashed.stderr], [0, ''])
    assert.equal(hashed.stdout, `sha256:${hashToken(ADMIN).toString('hex')}\n`)
    const bad = fromStdin('hunter2')
    assert.deepEqual([bad.status, bad.stdout, bad.stderr], [2, '', 'cohort: stdin must hold an API key\n'])

    const path = join(directory, 'admin.key')
    const made = await cohort(['key', 'hash', '--new', path])
    const token = (await readFile(path, 'utf8')).trim()
    assert.equal(made.stdout, `sha256:${hashToken(token).toString('hex')}\n`)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.match((await cohort(['key', 'hash', '--new', path])).stderr, /exists, and is not replaced$/)

    // As docker-compose.yml does at each start; the first one may have ended between the two files.
    const out = join(directory, 'admin.hash')
    for (let start = 0; start < 2; start += 1) {
      const kept = await cohort(['key', 'hash', '--new', path, '--out', out, '--keep'])
      assert.deepEqual([kept.exitCode, kept.stdout], [0, ''])
      assert.equal(await readFile(out, 'utf8'), made.stdout)
      assert.equal((await readFile(path, 'utf8')).trim(), token)
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('what is wrong with the arguments of a key is said before anything is asked', async () => {
  for (const args of [
    ['create', '--name', 'n', '--role', 'root'],
    ['create', '--name', 'n', '--role', 'reader', '--expires', '90'],
    ['create', '--name', 'n', '--role', 'reader', '--expires', '0d'],
    ['create', '--role', 'reader'],
    ['rotate', 'short'],
    ['revoke', ADMIN],
  ]) {
    const { exitCode } = await cohort(['key', ...args, '--url', 'http://127.0.0.1:1'])
    assert.equal(exitCode, 2, args.join(' '))
  }
})
