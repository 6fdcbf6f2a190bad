import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { SettingError } from '../config/setting-error.ts'
import type { Context } from './context.ts'

type InitFlags = Readonly<{
  out: string
  hosts: string
  connectorHosts?: string
  cluster?: string
  keep?: boolean
  replace?: boolean
}>

type RenewFlags = Readonly<{
  dir: string
  hosts?: string
  connectorHosts?: string
  newCa?: boolean
  dropOldCa?: boolean
}>

/** Adds `cohort certs`: makes and renews the certificates of a cluster. */
export function addCertsCommand(program: Command, { stdout }: Context): void {
  const certs = program
    .command('certs')
    .summary('make and renew the certificates of a cluster')
    .description(
      'Makes and renews the certificates with which connectors, nodes and commands prove who they are.',
    )
    .helpCommand(false)
  addInit(certs, stdout)
  addRenew(certs, stdout)
}

const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  a file could not be read or written
  2  a flag cannot be used, or the folder does not allow it; nothing was changed`

function addInit(certs: Command, stdout: Context['stdout']): void {
  certs
    .command('init')
    .summary('make a CA and the certificates of a whole cluster')
    .description(
      'Makes a CA, and a certificate for each node and each connector that it signs. All private keys are new, and only ' +
        'their owner can read the files.',
    )
    .requiredOption('--out <folder>', 'where to write the files; made if it is missing')
    .requiredOption('--hosts <list>', 'the hosts of the nodes, separated by commas: names or IP addresses')
    .option(
      '--connector-hosts <list>',
      'the hosts of the connectors, as clients name them (default: localhost alone)',
    )
    .addOption(
      new Option(
        '--cluster <name>',
        'the name of the cluster in its certificates (default: a random one)',
      ).argParser(readClusterName),
    )
    .option(
      '--keep',
      'if there are certificates: make those that are missing, renew what ends within 30 days',
    )
    .option('--replace', 'if there are certificates: begin anew, which shuts out everyone with the old ones')
    .addHelpText(
      'after',
      `
The folder then has:
  ca.crt            the CA, for clients of the API (--ca-file)
  ca/               the CA with its private key: keep it away from the machines of the cluster
  nodes/HOST        tls.crt, tls.key, ca.crt: copy them to that node
  connectors/HOST   the same for a connector, and api.crt, api.key for HTTPS
${EXIT_CODES_HELP}

Examples:
  cohort certs init --out certs --hosts node1,node2,node3 --connector-hosts api.example.com
  cohort certs init --out certs --hosts 10.0.0.1,10.0.0.2,10.0.0.3`,
    )
    .action(async ({ out, hosts, connectorHosts, cluster, keep, replace }: InitFlags) => {
      if (keep && replace) throw new SettingError('--keep and --replace exclude each other')
      const { readPlaces } = await import('./certs/places.ts')
      const { initCertificates } = await import('./certs/certificates.ts')
      const directory = resolve(out)
      const { cluster: name, issued } = await initCertificates(directory, {
        nodes: readPlaces('--hosts', hosts),
        connectors: readPlaces('--connector-hosts', connectorHosts ?? 'localhost'),
        cluster,
        existing: replace ? 'replace' : keep ? 'keep' : 'refuse',
        now: new Date(),
      })
      stdout.answer(`${describe(directory, name, issued).join('\n')}\n`)
    })
}

function addRenew(certs: Command, stdout: Context['stdout']): void {
  certs
    .command('renew')
    .summary('renew the certificates, or replace the CA')
    .description(
      'Makes new certificates with new keys for every process that has one. Running processes take them by themselves, ' +
        'within seconds after their files are replaced. The CA is replaced in three steps, so that nobody is shut out.',
    )
    .requiredOption('--dir <folder>', 'the folder that "cohort certs init" has made')
    .option('--hosts <list>', 'hosts of further nodes, which get their first certificate')
    .option('--connector-hosts <list>', 'hosts of further connectors')
    .option('--new-ca', 'step 1 of a new CA: everybody trusts it from now on, beside the old one')
    .option('--drop-old-ca', 'step 3 of a new CA: nobody trusts the old one any more')
    .addHelpText(
      'after',
      `
A new CA, with each step distributed to all machines before the next one:
  cohort certs renew --dir certs --new-ca        all trust the old CA and the new one
  cohort certs renew --dir certs                 the new CA signs everybody's certificate
  cohort certs renew --dir certs --drop-old-ca   all trust the new CA alone
${EXIT_CODES_HELP}

Examples:
  cohort certs renew --dir certs
  cohort certs renew --dir certs --hosts node4`,
    )
    .action(async ({ dir, hosts, connectorHosts, newCa, dropOldCa }: RenewFlags) => {
      const isForLeaves = !newCa && !dropOldCa
      if ((newCa && dropOldCa) || (!isForLeaves && (hosts ?? connectorHosts) !== undefined)) {
        throw new SettingError(
          '--new-ca and --drop-old-ca are steps of their own: give no other flag than --dir',
        )
      }
      const { readPlaces } = await import('./certs/places.ts')
      const { addCa, dropOldCa: drop, renewLeaves } = await import('./certs/certificates.ts')
      const directory = resolve(dir)
      const now = new Date()
      if (newCa) {
        await addCa(directory, now)
        stdout.answer(
          `A new CA was made, which signs nothing yet. Everybody must trust it first: distribute every ca.crt of\n` +
            `${directory}, and then run "cohort certs renew --dir ${dir}".\n`,
        )
      } else if (dropOldCa) {
        await drop(directory)
        stdout.answer(`The old CA is gone: distribute every ca.crt of ${directory}.\n`)
      } else {
        const { cluster, issued } = await renewLeaves(directory, {
          nodes: hosts === undefined ? [] : readPlaces('--hosts', hosts),
          connectors: connectorHosts === undefined ? [] : readPlaces('--connector-hosts', connectorHosts),
          now,
          withinMs: Number.POSITIVE_INFINITY,
        })
        stdout.answer(`${describe(directory, cluster, issued).join('\n')}\n`)
      }
    })
}

function describe(directory: string, cluster: string, issued: readonly string[]): string[] {
  if (issued.length === 0)
    return [`${directory}: the certificates of the cluster ${cluster} are good for longer.`]
  return [
    `${directory}: new certificates of the cluster ${cluster} for`,
    ...issued.map((name) => `  ${name}`),
    'Copy the folder of each process to its machine. Keep the folder ca away from them: its key signs everything.',
  ]
}

function readClusterName(text: string): string {
  if (/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(text)) return text
  throw new InvalidArgumentError('Expected 1 to 63 lower-case letters, digits, dots and hyphens.')
}
