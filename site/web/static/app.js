"use strict";
// What HTML cannot do by itself: follow a task, and send files so that a broken
// line costs nothing.

const csrf = document.querySelector("meta[name=csrf]").content;
const byId = (id) => document.getElementById(id);

function size(n) {
	for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
		if (n < 999.95 || unit === "TB") return (unit === "B" ? n : n.toFixed(1)) + " " + unit;
		n /= 1000;
	}
}

// announce has words read aloud, and the same ones once. Of percents every
// quarter is enough.
let announced = "";
function announce(words, percent) {
	const key = percent === undefined ? words : `${words} ${Math.floor(percent / 25)}`;
	if (key === announced) return;
	announced = key;
	byId("live").textContent = percent === undefined ? words : `${words}: ${percent} %`;
}

// refresh takes parts of the page from the server anew. What is not there stays.
async function refresh(...ids) {
	const answer = await fetch(location.href);
	if (!answer.ok) return;
	const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
	for (const id of ids) {
		const now = fresh.getElementById(id);
		if (now && byId(id)) byId(id).replaceWith(now);
	}
}

// follow shows a task while it runs, and calls ended once when it has ended.
function follow(id, ended) {
	const events = new EventSource(`/api/v1/tasks/${id}/events`);
	const log = byId("log");
	let last = log ? Math.max(0, ...[...log.children].map((l) => Number(l.dataset.n))) : Infinity;
	events.addEventListener("line", (e) => {
		const line = JSON.parse(e.data);
		if (line.n <= last) return;
		last = line.n;
		const item = document.createElement("li"), time = document.createElement("time"), text = document.createElement("span");
		item.dataset.n = line.n;
		time.dateTime = line.time;
		time.textContent = line.time.slice(11, 19);
		text.textContent = line.text;
		item.append(time, " ", text);
		const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 5;
		log.append(item);
		if (atEnd) log.scrollTop = log.scrollHeight;
	});
	events.addEventListener("task", (e) => showProgress(JSON.parse(e.data).progress));
	events.addEventListener("end", (e) => {
		events.close();
		ended(JSON.parse(e.data));
	});
}

function showProgress(p) {
	const bar = byId("progress"), text = byId("progress-text");
	if (!bar || !p.what) return;
	if (p.total > 0) {
		const percent = Math.floor((p.done * 100) / p.total);
		bar.value = percent;
		text.textContent = `${p.what}: ${percent} % of ${size(p.total)}`;
		announce(p.what, percent);
	} else {
		bar.removeAttribute("value");
		text.textContent = p.what;
		announce(p.what);
	}
}

const followed = document.querySelector("[data-follow]");
const running = byId("running");
if (followed) {
	follow(followed.dataset.follow, (task) => {
		announce(`${task.kind} ${task.state}`);
		refresh("outcome");
	});
} else if (running) {
	follow(running.dataset.task, () => location.reload());
}

// An Upload is one file on its way, by tus 1.0.0.
class Upload {
	static piece = 16 << 20;

	constructor(file, told) {
		this.file = file;
		this.told = told;
		this.waited = 0;
	}

	async call(method, url, headers = {}, body = null) {
		return new Promise((done, failed) => {
			const r = new XMLHttpRequest();
			this.request = r;
			r.open(method, url);
			for (const [name, value] of Object.entries({ "Tus-Resumable": "1.0.0", "X-CSRF-Token": csrf, ...headers })) r.setRequestHeader(name, value);
			r.upload.onprogress = (e) => this.told(this.offset + e.loaded);
			r.onload = () => done(r);
			r.onerror = r.ontimeout = () => failed(new Error("the connection is broken"));
			r.onabort = () => failed(new Error("paused"));
			r.send(body);
		});
	}

	// find goes on with an upload of the same file, or begins one.
	async find() {
		const all = (await (await fetch("/api/v1/uploads")).json()).uploads;
		const known = all.find((u) => u.name === this.file.name && u.size === this.file.size);
		if (known) {
			this.url = `/api/v1/uploads/${known.id}`;
			this.offset = known.offset;
			return;
		}
		const name = btoa(String.fromCharCode(...new TextEncoder().encode(this.file.name)));
		const r = await this.call("POST", "/api/v1/uploads", { "Upload-Length": this.file.size, "Upload-Metadata": `filename ${name}` });
		if (r.status !== 201) throw refusal(r);
		this.url = r.getResponseHeader("Location");
		this.offset = 0;
	}

	// send sends what is missing. Broken lines are tried again, ever more slowly.
	async send() {
		while (!this.url || this.offset < this.file.size) {
			try {
				if (!this.url) await this.find();
				const r = await this.call("PATCH", this.url, { "Upload-Offset": this.offset, "Content-Type": "application/offset+octet-stream" },
					this.file.slice(this.offset, this.offset + Upload.piece));
				if (r.status === 409 || r.status === 423) {
					await this.ask();
				} else if (r.status !== 204) {
					throw refusal(r);
				} else {
					this.offset = Number(r.getResponseHeader("Upload-Offset"));
				}
				this.waited = 0;
				this.told(this.offset);
			} catch (e) {
				if (this.stopped || e.final) throw e;
				this.waited = Math.min(30, this.waited * 2 || 1);
				this.told(this.offset || 0, `${e.message}; next attempt in ${this.waited} s`);
				await new Promise((done) => setTimeout(done, this.waited * 1000));
				if (this.stopped) throw new Error("paused");
				if (this.url) await this.ask().catch(() => {});
			}
		}
	}

	// ask learns how far the upload is.
	async ask() {
		const r = await this.call("HEAD", this.url);
		if (r.status === 404) this.url = null;
		else if (r.status === 200) this.offset = Number(r.getResponseHeader("Upload-Offset"));
	}

	pause() {
		this.stopped = true;
		this.request?.abort();
	}
}

// refusal is an error that trying again does not mend.
function refusal(r) {
	let why = `the server answers ${r.status}`;
	try {
		why = JSON.parse(r.responseText).error || why;
	} catch {}
	const e = new Error(why);
	e.final = r.status < 500 || r.status === 507;
	return e;
}

const form = byId("upload");
if (form) {
	form.hidden = false;
	const input = byId("upload-file"), work = byId("upload-work"), problem = byId("upload-problem"), text = byId("upload-text");
	const pause = byId("upload-pause"), drop = form.querySelector(".drop");
	let queue = [], current = null, several = false;

	const fail = (message) => {
		problem.textContent = message;
		problem.hidden = false;
	};
	const show = (file) => (offset, message) => {
		byId("upload-progress").value = (offset * 1000) / file.size;
		const percent = Math.floor((offset * 100) / file.size);
		text.textContent = message || `${percent} % of ${size(file.size)}`;
		if (message) announce(message);
		else announce(`Upload of ${file.name}`, percent);
	};

	// run sends the files one after the other. A patch file that came alone is
	// imported then; volumes wait for the others of their set, and of several
	// files somebody has to say which.
	const run = async () => {
		input.disabled = true;
		work.hidden = false;
		problem.hidden = true;
		let sent = null;
		try {
			while (queue.length > 0) {
				const file = queue[0];
				byId("upload-name").textContent = file.name;
				current ||= new Upload(file, show(file));
				current.stopped = false;
				show(file)(current.offset || 0);
				await current.send();
				sent = queue.shift();
				current = null;
			}
		} catch (e) {
			if (current?.stopped) {
				text.textContent += ", paused";
				announce("paused");
				pause.textContent = "Go on";
				return;
			}
			fail(e.message);
			queue = [];
			current = null;
			work.hidden = true;
			input.disabled = false;
			input.value = "";
			return;
		}
		await imports(sent);
	};

	const imports = async (file) => {
		if (several || /\.p?\d{3}$/.test(file.name)) {
			location.reload();
			return;
		}
		text.textContent = "the file is there; the import begins";
		const r = await fetch(`/api/v1/incoming/${encodeURIComponent(file.name)}/import`, { method: "POST", headers: { "X-CSRF-Token": csrf } });
		const answer = await r.json();
		if (r.ok) location.href = `/tasks/${answer.id}`;
		else {
			work.hidden = true;
			fail(`The file is there, but is not imported: ${answer.error}. Load the page again to import it later.`);
		}
	};

	const take = (files) => {
		if (input.disabled || files.length === 0) return;
		queue = [...files];
		several = queue.length > 1;
		run();
	};
	input.addEventListener("change", () => take(input.files));
	pause.addEventListener("click", () => {
		if (current && !current.stopped) {
			current.pause();
			return;
		}
		pause.textContent = "Pause";
		run();
	});
	byId("upload-stop").addEventListener("click", async () => {
		const gone = current;
		queue = [];
		gone?.pause();
		if (gone?.url) await gone.call("DELETE", gone.url).catch(() => {});
		location.reload();
	});
	drop.addEventListener("dragover", (e) => {
		e.preventDefault();
		drop.classList.add("over");
	});
	drop.addEventListener("dragleave", () => drop.classList.remove("over"));
	drop.addEventListener("drop", (e) => {
		e.preventDefault();
		drop.classList.remove("over");
		take(e.dataTransfer.files);
	});
	addEventListener("beforeunload", (e) => {
		if (current && !current.stopped) e.preventDefault();
	});
}
