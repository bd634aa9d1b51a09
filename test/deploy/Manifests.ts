import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { parseAllDocuments } from "yaml"
import { root } from "./Pages.ts"

/** An object of Kubernetes, as a manifest has it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

export const manifestsIn = (text: string): ReadonlyArray<Manifest> =>
  parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]
    return document.toJS() as Manifest
  })

/** The type of each kind: the module that has it, and its name there. */
const typeOf: Readonly<Record<string, readonly [module: string, name: string]>> = {
  StatefulSet: ["kubernetes-models/apps/v1", "IStatefulSet"],
  Job: ["kubernetes-models/batch/v1", "IJob"],
  NetworkPolicy: ["kubernetes-models/networking.k8s.io/v1", "INetworkPolicy"],
  ConfigMap: ["kubernetes-models/v1", "IConfigMap"],
  Secret: ["kubernetes-models/v1", "ISecret"],
  PodMonitor: ["@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1", "IPodMonitor"],
  Sandbox: ["./Sandbox.ts", "Sandbox"]
}

/** The resource of agent-sandbox v0.5, from its definition: no package publishes its type. */
const sandboxType = `
import type { IPersistentVolumeClaim } from "kubernetes-models/v1"
import type { IPod } from "kubernetes-models/v1"
export interface Sandbox {
  apiVersion: "agents.x-k8s.io/v1beta1"
  kind: "Sandbox"
  metadata: { name: string }
  spec: {
    operatingMode?: "Running" | "Suspended"
    podTemplate: { metadata?: { labels?: Record<string, string> }; spec: NonNullable<IPod["spec"]> }
    volumeClaimTemplates?: Array<{ metadata: { name: string }; spec: NonNullable<IPersistentVolumeClaim["spec"]> }>
    service?: boolean
    shutdownTime?: string
    shutdownPolicy?: "Delete" | "Retain"
  }
}
`

const literalOf = (manifest: Manifest): string => {
  const type = typeOf[manifest.kind]
  if (type === undefined) throw new Error(`no type is known for the kind ${manifest.kind}`)
  const [module, name] = type
  // A literal type of apiVersion and kind belongs to the type: another version is an error too.
  return `import type { ${name} } from "${module}"\nexport const manifest = ${JSON.stringify(manifest, null, 2)} satisfies ${name}\n`
}

/**
 * What the compiler says of manifests as literals of the published types; empty where it accepts them. A key that the type
 * does not have is an error. The folder is made below the checkout, which has the types.
 */
export const typeErrors = (manifests: ReadonlyArray<Manifest>): string => {
  const folder = fs.mkdtempSync(join(root, "node_modules/.apd-manifests-"))
  try {
    fs.writeFileSync(join(folder, "Sandbox.ts"), sandboxType)
    manifests.forEach((manifest, at) =>
      fs.writeFileSync(join(folder, `${at}-${manifest.kind}.ts`), literalOf(manifest))
    )
    const options = {
      compilerOptions: {
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        module: "nodenext",
        allowImportingTsExtensions: true,
        types: []
      },
      include: ["*.ts"],
      exclude: []
    }
    fs.writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options))
    const { error, status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], {
      encoding: "utf8"
    })
    if (error !== undefined) throw error
    return status === 0 ? "" : stdout
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
