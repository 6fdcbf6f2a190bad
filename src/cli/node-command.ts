import type { Command } from 'commander'
import type { Flags } from '../config/lookup.ts'
import { readNodeSettings } from '../config/settings.ts'
import type { Context } from './context.ts'
import { explainingHost } from './host-from-environment.ts'
import { settingOption, stopWithParentOption } from './setting-options.ts'
import { stopWithParent } from './stop-with-parent.ts'
import { insecureNodeOption, nodeTlsOption } from './tls-options.ts'

/** Adds `cohort node`: runs one node until it is told to stop. */
export function addNodeCommand(program: Command, { environment, stdout, hostProcess }: Context): void {
  program
    .command('node')
    .summary('run one node')
    .description(
      'Runs one node, which keeps a copy of every group on its own disk. SIGTERM and Ctrl-C stop it cleanly.',
    )
    .option('--port <port>', 'where to listen (PORT; default: 8001)')
    .option('--data-dir <directory>', 'where the node keeps its data; made if it is missing (DATA_DIR)')
    .option('--host <address>', 'the address to listen on (HOST; default: 127.0.0.1)')
    .option('--cluster-id <id>', 'belong to this cluster and to no other (CLUSTER_ID; default: any)')
    .option('--metrics-port <port>', 'where to answer GET /metrics (METRICS_PORT; default: nowhere)')
    .option(
      '--scrub-period <seconds>',
      'how long one search of all records for damaged ones takes (SCRUB_PERIOD; default: 86400)',
    )
    .option(
      '--max-connections <count>',
      'how many connections the node keeps open, 1 to 1000000 (MAX_CONNECTIONS; default: 1024)',
    )
    .addOption(settingOption('log-level'))
    .addOption(nodeTlsOption('cert'))
    .addOption(nodeTlsOption('key'))
    .addOption(nodeTlsOption('ca'))
    .addOption(insecureNodeOption())
    .addOption(stopWithParentOption())
    .addHelpText(
      'after',
      `
A flag wins over its environment variable, which wins over the same name in the file .env of the working directory.

Examples:
  cohort node --port 8001 --data-dir ./data/node1
  PORT=8002 DATA_DIR=./data/node2 cohort node

Exit codes:
  0  stopped by a signal
  1  could not start, or its disk has failed: the last line says why
  2  a flag or a setting cannot be used
  6  no longer a member of its cluster: starting it again does not help`,
    )
    .action(async ({ stopWithParent: isChild, ...flags }: Flags & { stopWithParent?: boolean }) => {
      stdout.becomeLog()
      const settings = readNodeSettings(flags, environment)
      if (isChild) stopWithParent()
      const { runNode } = await import('../node/main.ts')
      await explainingHost(flags, environment, () => runNode(settings, hostProcess))
    })
}
