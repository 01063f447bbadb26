// The page of the service: starts its parts. Each part listens to what the others tell.
import { complain } from "./dom.js";
import { loadGallery } from "./gallery.js";
import "./picture.js";
import "./box.js";
import "./search.js";
import "./remove.js";
import "./enrol.js";

window.addEventListener("offline", () => complain("This device has no network.", loadGallery));
loadGallery();
