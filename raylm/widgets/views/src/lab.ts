/** What JupyterLab's shell takes from here besides the screens; it loads this module from the Jupyter server. */
import "./styles/base.css";
import "./styles/sidebar.css";

export { sidebar } from "./lab/sidebar";
export { RunWatch } from "./lab/watch";
export { restTransport } from "./rest";
export { Store } from "./store";
