import variant from "@jitl/quickjs-ng-wasmfile-release-sync";
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";

const pageBytes = 64 * 1024;
/** What the module itself begins with. */
const initialBytes = 16 * 1024 * 1024;
/** Of all realms of the instance together: an allocation beyond it fails, whoever asks. */
const maximumBytes = 512 * 1024 * 1024;

// A global of Node that its types know as a namespace only.
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: { readonly Memory: new (size: { initial: number; maximum: number }) => object };
};

/** A WebAssembly instance of its own, with a memory of its own. */
export function loadQuickJs(): Promise<QuickJSWASMModule> {
  const wasmMemory = new wasm.Memory({ initial: initialBytes / pageBytes, maximum: maximumBytes / pageBytes });
  // The package's types describe its CommonJS build, whose variant is one `default` further in; Node loads the ESM build.
  return newQuickJSWASMModuleFromVariant(newVariant(variant as unknown as QuickJSSyncVariant, { wasmMemory }));
}
